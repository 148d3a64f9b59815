/* pam_rehearse.so STEP MODULE [ARGUMENT...]: runs MODULE in its place and says
 * through the conversation what it returned. A rehearsal puts it in front of
 * each module of a copy of a stack; no service names it. It decides nothing. */
#include <dlfcn.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>

#define EXPORTED __attribute__((visibility("default")))
/* What src/command/rehearsal/libpam.ts looks for; no module begins a text so. */
#define SAYS "\001rehearsal %s %d"

typedef int entry_point(pam_handle_t *, int, int, const char **);

/* The module stays loaded: it may have left functions to clean up with. */
static int run(const char *name, pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	int rc = PAM_MODULE_UNKNOWN;

	if (argc < 2)
		return PAM_SERVICE_ERR;
	void *module = dlopen(argv[1], RTLD_NOW);
	if (module != NULL) {
		/* ISO C has no cast from void * to a function. */
		union {
			void *symbol;
			entry_point *call;
		} found = { .symbol = dlsym(module, name) };
		if (found.symbol != NULL)
			rc = found.call(pamh, flags, argc - 2, argv + 2);
	}
	(void)pam_info(pamh, SAYS, argv[0], rc);
	return rc;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	return run("pam_sm_authenticate", pamh, flags, argc, argv);
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	return run("pam_sm_acct_mgmt", pamh, flags, argc, argv);
}

/* A rehearsal is no login: it never asks for this. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_IGNORE;
}
