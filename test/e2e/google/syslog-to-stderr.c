/* Preloaded into a PAM client: what modules say to syslog goes to standard
 * error, a line each. So it is there when the client ends, and nobody has to
 * listen on the machine's /dev/log. */
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

/* What programs call that were compiled with _FORTIFY_SOURCE. */
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
