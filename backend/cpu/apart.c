/* apart.c -- fork, and files in memory for what comes back. */
#include "backend/cpu/apart.h"
#include "runtime/sentence.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void *apart_share(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

void apart_release(void *at, size_t size)
{
	if (at)
		munmap(at, size);
}

bool apart_write(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t done = write(fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		size -= (size_t)done;
	}
	return true;
}

/* Neither handlers nor buffers of the process that was copied are to be run or flushed twice. */
_Noreturn void apart_end(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

/* All bytes of the file and a NUL. */
static char *read_back(int fd, size_t *size)
{
	struct stat st;
	size_t used = 0;
	if (fstat(fd, &st) != 0)
		return NULL;
	char *text = malloc((size_t)st.st_size + 1);
	while (text && used < (size_t)st.st_size) {
		ssize_t got = pread(fd, text + used, (size_t)st.st_size - used, (off_t)used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(text);
			return NULL;
		}
		used += (size_t)got;
	}
	if (text)
		text[used] = '\0';
	*size = used;
	return text;
}

static _Noreturn void be_the_copy(void (*work)(void *, int), void *context, int result,
				  int complaints)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	/* Of the copy alone: a write that fails says so. */
	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(complaints, STDERR_FILENO);
	work(context, result);
	apart_end(0);
}

/* Where the system was told to forget ended processes (SIGCHLD ignored), how this one ended is not
 * known; whether the work was done shows in what it left. */
static char *how_it_ended(pid_t child)
{
	int status = 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return NULL;
	if (WIFSIGNALED(status))
		return sentence("the code generator was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? NULL : sentence("the code generator gave up");
}

static char *run_between(void (*work)(void *, int), void *context, int result, int complaints,
			 char **data, size_t *size, char **said)
{
	size_t length;
	pid_t child = fork();
	if (child < 0)
		return sentence("the system refuses a process for the code generator; "
				"free memory or processes");
	if (child == 0)
		be_the_copy(work, context, result, complaints);
	char *error = how_it_ended(child);
	*said = read_back(complaints, &length);
	if (!error)
		*data = read_back(result, size);
	return !error && (!*data || !*said) ? sentence("no memory for the code") : error;
}

/* Not in the place of a standard stream that the caller closed: the copy's streams go there. */
static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return higher;
}

char *apart_run(void (*work)(void *context, int fd), void *context, char **data, size_t *size,
		char **complaints)
{
	int result = memory_file("code"), said = memory_file("complaints");
	char *error;
	*data = *complaints = NULL;
	*size = 0;
	if (result < 0 || said < 0)
		error = sentence("the system refuses a file in memory for the code");
	else
		error = run_between(work, context, result, said, data, size, complaints);
	if (result >= 0)
		close(result);
	if (said >= 0)
		close(said);
	if (error) {
		free(*data);
		*data = NULL;
	}
	return error;
}
