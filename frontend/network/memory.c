/* memory.c -- the bytes of a network's tensors against those of this computer. */
#include "frontend/network/memory.h"

#include <unistd.h>
#include "runtime/sentence.h"

/* In doubles: sizes may be absurd. */
static double bytes_touched(const struct network *network, enum memory_use use)
{
	double bytes = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		const struct tensor *tensor = network->tensor[i];
		bool is_computed = tensor->role == ROLE_LOCAL || tensor->role == ROLE_INPUT;
		int copies = tensor->is_output && use == MEMORY_INTERPRET ? 2 : 1;
		if (tensor->view_of || (is_computed && use == MEMORY_COMPILE))
			continue;
		bytes += (double)tensor_count(tensor) * type_info(tensor->type)->bytes * copies;
	}
	return bytes;
}

bool memory_check(const struct network *network, enum memory_use use, struct diag *diag)
{
	double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
	double need = bytes_touched(network, use);
	if (have <= 0 || need <= have)
		return true;
	return diag_fail(diag, "too-little-memory",
			 sentence("the tensors of network '%s' need %.3g GB of memory, and this "
				  "machine has %.3g GB",
				  network->name, need * 1e-9, have * 1e-9));
}
