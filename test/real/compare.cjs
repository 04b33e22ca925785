// compare.cjs NODE_MODULES MODEL.onnx IN.npy OUT.npy -- how far OUT is from what ONNX Runtime answers to IN: the largest
// difference over the largest magnitude. Exit 1 if that is above 1e-4 or the shapes differ.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, model, input, output] = process.argv.slice(2);
const ort = require(path.resolve(modules, 'onnxruntime-node'));

function npy(file) {
	const bytes = fs.readFileSync(file);
	const start = 10 + bytes.readUInt16LE(8);
	const about = bytes.toString('latin1', 10, start);
	if (bytes[6] !== 1 || !about.includes("'<f4'") || !about.includes("'fortran_order': False"))
		throw new Error(`${file}: ${about}`);
	const shape = about.match(/'shape': \(([^)]*)\)/)[1].split(',').filter((n) => n.trim()).map(Number);
	return { shape, elements: new Float32Array(bytes.buffer.slice(bytes.byteOffset + start)) };
}

async function main() {
	const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
	const x = npy(input), ours = npy(output);
	const result = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', x.elements, x.shape) });
	const theirs = result[session.outputNames[0]];
	if (ours.shape.join() !== theirs.dims.join())
		throw new Error(`shape ${ours.shape}, not ${theirs.dims}`);
	let magnitude = 0, difference = 0, same = true;
	theirs.data.forEach((value, i) => {
		magnitude = Math.max(magnitude, Math.abs(value));
		difference = Math.max(difference, Math.abs(value - ours.elements[i]));
		same = same && Math.abs(value - theirs.data[0]) < 1e-3 * Math.abs(value);
	});
	const error = difference / magnitude;
	console.log(`error ${error.toExponential(1)} of ${magnitude.toPrecision(3)}`);
	if (!(error <= 1e-4) || same)
		throw new Error(same ? 'all outputs are about the same: the test says nothing' : 'above 1e-4');
}

main().catch((error) => {
	console.error(error.message);
	process.exit(1);
});
