// reference.cjs NODE_MODULES FOLDER -- what ONNX Runtime answers to seeded inputs of the published models.
// For each model MODEL it writes FOLDER/MODEL.in and FOLDER/MODEL.out, float32 as the machine has it, one input
// after the other, and prints one line: MODEL FILE INPUTS ELEMENTS_IN ELEMENTS_OUT. Also the
// first two of each MNIST digit, 28x28, from 0 to 1: together in FOLDER/lenet.in, each in FOLDER/digit.NUMBER.npy.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, folder] = process.argv.slice(2);
const ort = require(path.resolve(modules, 'onnxruntime-node'));
const INPUTS = 24;

// Marsaglia's xorshift32: the same inputs on every machine.
function generator(seed) {
	let state = seed;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 4294967296;
	};
}

function normal(random) {
	return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

// An image is a list of 784 numbers; the file holds thousands of them in a row.
function digits() {
	const images = [];
	for (let digit = 0; digit < 10; digit++) {
		const file = path.join(modules, 'mnist', 'src', 'digits', `${digit}.json`);
		const numbers = JSON.parse(fs.readFileSync(file, 'utf8')).data;
		images.push(numbers.slice(0, 784), numbers.slice(784, 2 * 784));
	}
	return images;
}

// A line of six handwritten digits, 48x192 in three equal channels from -1 to 1; every other one upside down,
// since that is what the classifier tells; the last few are noise.
function line(random, number, images) {
	const height = 48, width = 192, plane = height * width;
	const pixels = new Float32Array(3 * plane).fill(-1);
	if (number >= INPUTS - 4)
		return pixels.map(() => 2 * random() - 1);
	for (let place = 0; place < 6; place++) {
		const image = images[Math.floor(random() * images.length)];
		for (let y = 0; y < 28; y++)
			for (let x = 0; x < 28; x++) {
				let at = (y + 10) * width + place * 32 + x + 2;
				if (number % 2)
					at = plane - 1 - at;
				for (let channel = 0; channel < 3; channel++)
					pixels[channel * plane + at] = 2 * image[y * 28 + x] - 1;
			}
	}
	return pixels;
}

// Speech embeddings are roughly normal; the spread grows from input to input.
function embedding(random, number, frames) {
	const spread = 0.25 * (number + 1);
	return Float32Array.from({ length: frames * 96 }, () => spread * normal(random));
}

const images = digits();
const deepa = path.join('openwakeword-js', 'models');
const models = [
	{ name: 'cls', file: path.join('@gutenye', 'ocr-models', 'assets', 'ch_ppocr_mobile_v2.0_cls_infer.onnx'),
		shape: [1, 3, 48, 192], make: (random, number) => line(random, number, images) },
	{ name: 'hello_deepa', file: path.join(deepa, 'hello_deepa.onnx'),
		shape: [1, 25, 96], make: (random, number) => embedding(random, number, 25) },
	{ name: 'hello_deepa_old', file: path.join(deepa, 'hello_deepa_old.onnx'),
		shape: [1, 24, 96], make: (random, number) => embedding(random, number, 24) },
	{ name: 'namaste_deepa', file: path.join(deepa, 'namaste_deepa.onnx'),
		shape: [1, 24, 96], make: (random, number) => embedding(random, number, 24) },
];

// Version 1.0 of NumPy's format: a magic number, the length of a padded line that describes the array, the elements.
function npy(shape, elements) {
	const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
	const line = about.padEnd(117) + '\n';
	const head = Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([1, 0, line.length, 0])]);
	return Buffer.concat([head, Buffer.from(line), Buffer.from(Float32Array.from(elements).buffer)]);
}

async function answer(model, seed) {
	const file = path.join(modules, model.file);
	const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
	const random = generator(seed);
	const inputs = [], outputs = [];
	for (let number = 0; number < INPUTS; number++) {
		const input = model.make(random, number);
		const tensor = new ort.Tensor('float32', input, model.shape);
		const result = await session.run({ [session.inputNames[0]]: tensor });
		inputs.push(Buffer.from(input.buffer));
		outputs.push(Buffer.from(Float32Array.from(result[session.outputNames[0]].data).buffer));
	}
	fs.writeFileSync(path.join(folder, `${model.name}.in`), Buffer.concat(inputs));
	fs.writeFileSync(path.join(folder, `${model.name}.out`), Buffer.concat(outputs));
	console.log(model.name, file, INPUTS, inputs[0].length / 4, outputs[0].length / 4);
}

async function main() {
	fs.writeFileSync(path.join(folder, 'lenet.in'), Buffer.from(Float32Array.from(images.flat()).buffer));
	for (const [number, image] of images.entries())
		fs.writeFileSync(path.join(folder, `digit.${number}.npy`), npy([1, 1, 28, 28], image));
	for (const [number, model] of models.entries())
		await answer(model, 2463534242 + number);
}

main().catch((error) => {
	console.error(error.message);
	process.exit(1);
});
