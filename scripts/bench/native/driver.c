/* Logs users in through libpam, one after the other, and times each login.
 *
 *   driver CONFDIR PROCESSES <JOBS
 *
 * A job is a line: LABEL SERVICE USER CODE. The service files are read from
 * CONFDIR (pam_start_confdir). With one process the jobs run in their order;
 * else the processes are forked first, wait for each other, and the n-th one
 * does every n-th job. Nobody executes anything.
 *
 * Prints the time of all jobs together in nanoseconds, then for each job
 * LABEL, what PAM returned, when it began (nanoseconds since 1970), and how
 * many nanoseconds lay between pam_start and the end of pam_end. The delay
 * after a failure is left out, as a host may ask for with PAM_FAIL_DELAY. */
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORD_MAX 64
#define NS_PER_S 1000000000LL

struct job {
	char label[WORD_MAX], service[WORD_MAX], user[WORD_MAX], code[WORD_MAX];
	int64_t begun, took;
	int rc;
};

struct jobs {
	struct job *all;
	size_t count, room;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void no_delay(int rc, unsigned usec, void *data)
{
	(void)rc;
	(void)usec;
	(void)data;
}

static int answer_all(int count, const struct pam_message **messages,
    struct pam_response **responses, void *code)
{
	struct pam_response *all = calloc((size_t)count, sizeof *all);

	if (all == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
		    messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
			all[i].resp = strdup(code);
	*responses = all;
	return PAM_SUCCESS;
}

static int log_in(struct job *job, const char *confdir)
{
	struct pam_conv conv = { answer_all, job->code };
	pam_handle_t *pamh = NULL;
	int rc = pam_start_confdir(job->service, job->user, &conv, confdir,
	    &pamh);

	if (rc != PAM_SUCCESS)
		return rc;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	pam_set_item(pamh, PAM_RHOST, "192.0.2.1");
	rc = pam_authenticate(pamh, 0);
	pam_end(pamh, rc);
	return rc;
}

static void do_jobs(struct jobs *jobs, size_t first, size_t step,
    const char *confdir)
{
	for (size_t i = first; i < jobs->count; i += step) {
		struct job *job = &jobs->all[i];
		int64_t begun = now_ns(CLOCK_MONOTONIC);

		job->begun = now_ns(CLOCK_REALTIME);
		job->rc = log_in(job, confdir);
		job->took = now_ns(CLOCK_MONOTONIC) - begun;
	}
}

/* Shared memory, so that the parent sees the children's notes. */
static bool read_jobs(struct jobs *jobs)
{
	struct job job = { .rc = -1 };

	jobs->room = 1 << 20;
	jobs->all = mmap(NULL, jobs->room * sizeof job, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (jobs->all == MAP_FAILED)
		return false;
	while (jobs->count < jobs->room &&
	    scanf("%63s %63s %63s %63s", job.label, job.service, job.user,
	        job.code) == 4)
		jobs->all[jobs->count++] = job;
	return jobs->count > 0;
}

/* All children wait at the gate: a pipe whose other end is then closed. */
static bool fork_all(struct jobs *jobs, size_t processes, const char *confdir,
    int gate[2])
{
	char byte;

	for (size_t i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return false;
		if (pid == 0) {
			close(gate[1]);
			while (read(gate[0], &byte, 1) > 0)
				;
			do_jobs(jobs, i, processes, confdir);
			_exit(0);
		}
	}
	return true;
}

static bool do_in_processes(struct jobs *jobs, size_t processes,
    const char *confdir, int64_t *took)
{
	int gate[2];
	bool forked;
	int64_t begun;

	if (pipe(gate) != 0)
		return false;
	forked = fork_all(jobs, processes, confdir, gate);
	usleep(50000); /* the last child has reached the gate by now */
	begun = now_ns(CLOCK_MONOTONIC);
	close(gate[0]);
	close(gate[1]);
	while (wait(NULL) > 0)
		;
	*took = now_ns(CLOCK_MONOTONIC) - begun;
	return forked;
}

int main(int argc, char **argv)
{
	struct jobs jobs = { 0 };
	size_t processes = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int64_t took = now_ns(CLOCK_MONOTONIC);

	if (processes == 0 || !read_jobs(&jobs)) {
		fputs("usage: driver CONFDIR PROCESSES <JOBS\n", stderr);
		return 64;
	}
	took = now_ns(CLOCK_MONOTONIC);
	if (processes == 1) {
		do_jobs(&jobs, 0, 1, argv[1]);
		took = now_ns(CLOCK_MONOTONIC) - took;
	} else if (!do_in_processes(&jobs, processes, argv[1], &took)) {
		perror("driver");
		return 71;
	}
	printf("%lld\n", (long long)took);
	for (size_t i = 0; i < jobs.count; i++)
		printf("%s %d %lld %lld\n", jobs.all[i].label, jobs.all[i].rc,
		    (long long)jobs.all[i].begun, (long long)jobs.all[i].took);
	return 0;
}
