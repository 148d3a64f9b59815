/* A PAM module for tests: sets PAM_AUTHTOK from the PAM environment variable
 * PROBE_SET, once, and always reports it in PROBE_SEEN. */
#define _GNU_SOURCE
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
    const char **argv)
{
	const char *set = pam_getenv(pamh, "PROBE_SET");
	const void *token = NULL;
	char seen[4096] = "PROBE_SEEN=none";
	size_t used = strlen("PROBE_SEEN=");

	(void)flags;
	(void)argc;
	(void)argv;
	if (set != NULL) {
		pam_set_item(pamh, PAM_AUTHTOK, set);
		pam_putenv(pamh, "PROBE_SET");
	}
	if (pam_get_item(pamh, PAM_AUTHTOK, &token) == PAM_SUCCESS && token) {
		seen[used] = 0;
		for (const char *c = token; *c != 0 && used < sizeof seen - 3; c++)
			used += (size_t)snprintf(seen + used, 3, "%02x",
			    (unsigned char)*c);
	}
	pam_putenv(pamh, seen);
	return PAM_IGNORE;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
