/*
 * Preloaded into a PAM client: redirects modules' syslog messages to standard
 * error, one line each. So they are complete when the client ends, and the
 * machine's /dev/log is not needed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void openlog(const char *ident, int option, int facility)
{
	(void)ident;
	(void)option;
	(void)facility;
}

void closelog(void)
{
}

void vsyslog(int priority, const char *format, va_list values)
{
	int error = errno;
	char text[4096], *line = text;

	(void)priority;
	vsnprintf(text, sizeof text, format, values); /* knows %m */
	for (; *line != 0; line++)
		if (*line == '\n')
			*line = ' ';
	fprintf(stderr, "%s\n", text);
	errno = error;
}

void syslog(int priority, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsyslog(priority, format, values);
	va_end(values);
}

/* The variant that programs with _FORTIFY_SOURCE call. */
void __vsyslog_chk(int priority, int flag, const char *format, va_list values)
{
	(void)flag;
	vsyslog(priority, format, values);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list values;

	(void)flag;
	va_start(values, format);
	vsyslog(priority, format, values);
	va_end(values);
}
