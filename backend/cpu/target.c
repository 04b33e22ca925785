/* target.c -- names of a target in, LLVM's target machine and the shape of its registers out.
 *
 * Which vectors a processor has LLVM's C interface does not tell, so it is asked by example: a
 * fused multiply-add of 64 bytes is compiled, and the registers that its assembly names are
 * those that LLVM would use. */
#include "backend/cpu/target.h"
#include "runtime/sentence.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char *host_triple(void)
{
	char *name = LLVMGetDefaultTargetTriple(), *normal = LLVMNormalizeTargetTriple(name);
	LLVMDisposeMessage(name);
	return normal;
}

/* Cuts the next component off a triple; "" behind the last. */
static const char *component(char **triple)
{
	const char *text = *triple ? strsep(triple, "-") : NULL;
	return text ? text : "";
}

/* What the environment says of calls: "eabihf" of "gnueabihf". Which C library there is does not change the code. */
static const char *convention(const char *environment)
{
	static const char *const library[] = {"gnu", "musl"};
	for (size_t i = 0; i < sizeof library / sizeof *library; i++)
		if (strncmp(environment, library[i], strlen(library[i])) == 0)
			return environment + strlen(library[i]);
	return environment;
}

static bool is_same_system(char *a, char *b)
{
	bool same = strcmp(component(&a), component(&b)) == 0;
	component(&a), component(&b); /* the vendor */
	same &= strcmp(component(&a), component(&b)) == 0;
	return same && strcmp(convention(component(&a)), convention(component(&b))) == 0;
}

bool target_is_foreign(const struct cpu_target *t)
{
	if (!t || !t->triple)
		return false;
	char *host = host_triple(), *asked = LLVMNormalizeTargetTriple(t->triple);
	bool is_same = is_same_system(host, asked);
	LLVMDisposeMessage(host);
	LLVMDisposeMessage(asked);
	return !is_same;
}

/* What a processor must have to be of a level (System V ABI, AMD64 supplement, 3.1.1). */
static const struct {
	const char *cpu, *features;
} levels[] = {
	{"generic", ""},
	{"x86-64", "sse2"},
	{"x86-64-v2", "sse2,cx16,sahf,popcnt,sse3,ssse3,sse4.1,sse4.2"},
	{"x86-64-v3", "sse2,cx16,sahf,popcnt,sse3,ssse3,sse4.1,sse4.2,"
		      "avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe,xsave"},
	{"x86-64-v4", "sse2,cx16,sahf,popcnt,sse3,ssse3,sse4.1,sse4.2,"
		      "avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe,xsave,"
		      "avx512f,avx512bw,avx512cd,avx512dq,avx512vl"},
};

/* have is LLVM's list, "+sse2,-avx,...". */
static bool has_features(const char *have, const char *features)
{
	while (*features) {
		size_t length = strcspn(features, ",");
		const char *at = have;
		while ((at = strchr(at, '+')) &&
		       !(strncmp(at + 1, features, length) == 0 && strchr(",", at[1 + length])))
			at++;
		if (!at)
			return false;
		features += length + (features[length] == ',');
	}
	return true;
}

bool target_is_level_of_host(const char *cpu)
{
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strcmp(cpu, levels[i].cpu) != 0)
			continue;
		char *have = LLVMGetHostCPUFeatures();
		bool is_one = has_features(have, levels[i].features);
		LLVMDisposeMessage(have);
		return is_one;
	}
	return false;
}

static void register_host(void)
{
	LLVMInitializeNativeTarget();
	LLVMInitializeNativeAsmPrinter();
}

/* What LLVM knows belongs to the process, and so does whether it knows it. */
void target_register_host(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_host);
}

static void register_all(void)
{
	LLVMInitializeAllTargetInfos();
	LLVMInitializeAllTargets();
	LLVMInitializeAllTargetMCs();
	LLVMInitializeAllAsmPrinters();
}

/* Three vectors are loaded, multiplied and added in one, and stored. */
static LLVMModuleRef example(LLVMContextRef context, const struct target *t,
			     LLVMTargetDataRef layout)
{
	LLVMModuleRef module = LLVMModuleCreateWithNameInContext("example", context);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(context);
	LLVMTypeRef pointer = LLVMPointerTypeInContext(context, 0);
	LLVMTypeRef vector = LLVMVectorType(LLVMFloatTypeInContext(context), 16);
	LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(context), &pointer, 1, false);
	LLVMValueRef function = LLVMAddFunction(module, "example", type);
	LLVMSetTarget(module, t->triple);
	LLVMSetModuleDataLayout(module, layout);
	LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(context, function, ""));
	unsigned fma = LLVMLookupIntrinsicID("llvm.fma", strlen("llvm.fma"));
	LLVMValueRef x = LLVMBuildLoad2(b, vector, LLVMGetParam(function, 0), ""),
		     operand[] = {x, x, x};
	LLVMValueRef sum = LLVMBuildCall2(b, LLVMIntrinsicGetType(context, fma, &vector, 1),
					  LLVMGetIntrinsicDeclaration(module, fma, &vector, 1),
					  operand, 3, "");
	LLVMBuildStore(b, sum, LLVMGetParam(function, 0));
	LLVMBuildRetVoid(b);
	LLVMDisposeBuilder(b);
	return module;
}

/* name in assembly text: bytes of a vector register, how many registers; most telling first. */
static const struct {
	const char *architecture, *name;
	struct nest_machine shape;
} registers[] = {
	{"x86_64", "zmm", {64, 32}}, {"x86_64", "ymm", {32, 16}}, {"i386", "ymm", {32, 8}},
	{"i686", "ymm", {32, 8}},    {"x86_64", "", {16, 16}},    {"i", "", {16, 8}},
	{"aarch64", "", {16, 32}},   {"", "", {16, 16}},
};

static char *look_at_example(struct target *t, LLVMTargetDataRef layout)
{
	LLVMContextRef context = LLVMContextCreate();
	LLVMModuleRef module = example(context, t, layout);
	LLVMMemoryBufferRef text;
	char *message = NULL, *error = NULL;
	if (LLVMTargetMachineEmitToMemoryBuffer(t->machine, module, LLVMAssemblyFile, &message,
						&text))
		error = sentence("no code can be made for %s: %s", t->triple, message);
	const char *assembly = error ? "" : LLVMGetBufferStart(text);
	size_t row = 0;
	while (strncmp(t->triple, registers[row].architecture,
		       strlen(registers[row].architecture)) != 0 ||
	       !strstr(assembly, registers[row].name))
		row++;
	t->shape = registers[row].shape;
	t->has_fma = !strstr(assembly, "fmaf");
	t->rounds_late = strstr(assembly, "flds") != NULL;
	if (!error)
		LLVMDisposeMemoryBuffer(text);
	LLVMDisposeMessage(message);
	LLVMDisposeModule(module);
	LLVMContextDispose(context);
	return error;
}

/* What nearly every machine that runs Linux on this architecture has, though LLVM's generic
 * processor has not; of x86, registers that round to f32 and not to 80 bits. */
static const char *usual_features(const char *triple)
{
	static const char *const usual[][2] = {{"riscv64", "+m,+a,+f,+d,+c"},
					       {"loongarch64", "+d"},
					       {"arm-", "+vfp2"},
					       {"i386", "+sse2"},
					       {"i486", "+sse2"},
					       {"i586", "+sse2"},
					       {"i686", "+sse2"}};
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strncmp(triple, usual[i][0], strlen(usual[i][0])) == 0)
			return usual[i][1];
	return "";
}

static void choose_names(const struct cpu_target *asked, struct target *t, bool foreign)
{
	bool own_cpu = asked && asked->cpu, own_features = asked && asked->features;
	t->triple =
		asked && asked->triple ? LLVMNormalizeTargetTriple(asked->triple) : host_triple();
	if (own_cpu)
		t->cpu = strdup(asked->cpu);
	else
		t->cpu = foreign ? strdup("generic") : LLVMGetHostCPUName();
	bool is_generic = strcmp(t->cpu, "generic") == 0;
	if (own_features)
		t->features = strdup(asked->features);
	else if (!own_cpu && !foreign)
		t->features = LLVMGetHostCPUFeatures();
	else
		t->features = strdup(is_generic ? usual_features(t->triple) : "");
	t->fell_back = !own_cpu && is_generic;
}

/* Data far away: on x86-64, code reaches 2 GB by itself, and other objects of a program have data
 * too. Elsewhere the reach is 4 GB or there is no other model for code that can lie anywhere. */
static LLVMCodeModel code_model(const char *triple, int64_t data)
{
	bool is_far = strncmp(triple, "x86_64", 6) == 0 && data > INT64_C(1) << 30;
	return is_far ? LLVMCodeModelMedium : LLVMCodeModelSmall;
}

char *target_open(const struct cpu_target *asked, int64_t data, struct target *t)
{
	LLVMTargetRef target;
	char *message = NULL, *error = NULL;
	bool foreign = target_is_foreign(asked);
	*t = (struct target){0};
	target_register_host();
	if (foreign)
		register_all();
	choose_names(asked, t, foreign);
	if (LLVMGetTargetFromTriple(t->triple, &target, &message)) {
		error = sentence("%s %s is no target that LLVM knows; one like x86_64-linux-gnu or "
				 "aarch64-linux-gnu is wanted",
				 asked && asked->triple_from ? asked->triple_from : "-mtriple",
				 t->triple);
		LLVMDisposeMessage(message);
		return error;
	}
	if (!LLVMTargetHasTargetMachine(target) || !LLVMTargetHasAsmBackend(target))
		return sentence("%s %s is a target for which LLVM makes no object files; one like "
				"x86_64-linux-gnu or aarch64-linux-gnu is wanted",
				asked && asked->triple_from ? asked->triple_from : "-mtriple",
				t->triple);
	t->machine = LLVMCreateTargetMachine(target, t->triple, t->cpu, t->features,
					     LLVMCodeGenLevelDefault, LLVMRelocPIC,
					     code_model(t->triple, data));
	if (!t->machine)
		return sentence("LLVM makes no code for %s", t->triple);
	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(t->machine);
	t->swaps_bytes = LLVMByteOrder(layout) == LLVMBigEndian;
	error = look_at_example(t, layout);
	LLVMDisposeTargetData(layout);
	return error;
}
