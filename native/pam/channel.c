#define _GNU_SOURCE /* struct ucred */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return INT64_MAX;
	return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

void channel_allow(struct channel *channel, int64_t ms)
{
	int64_t now = now_ms();

	channel->deadline = now < INT64_MAX - ms ? now + ms : 0;
}

/* Sleeps until `events` or the deadline. A signal does not prolong it. */
static int await(const struct channel *channel, short events)
{
	struct pollfd polled = { .fd = channel->fd, .events = events };
	int64_t left;
	int n;

	do {
		left = channel->deadline - now_ms();
		if (left <= 0)
			return ETIMEDOUT;
		n = poll(&polled, 1, (int)left);
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? errno : 0;
}

/* A close-on-exec socket above 2: hosts may have closed their own 0 to 2,
 * and what they then write to stderr must not reach the daemon. */
static int new_socket(int *fd)
{
	int first = socket(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	*fd = first;
	if (first < 0)
		return errno;
	if (first >= FIRST_FREE_FD)
		return 0;
	*fd = fcntl(first, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	rc = *fd < 0 ? errno : 0;
	close(first);
	return rc;
}

static int connect_before_deadline(const struct channel *channel,
    const struct sockaddr_un *address)
{
	for (;;) {
		if (connect(channel->fd, (const struct sockaddr *)address,
		        sizeof *address) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return errno;
		if (channel->deadline - now_ms() <= BACKLOG_RETRY_MS)
			return ETIMEDOUT;
		poll(NULL, 0, BACKLOG_RETRY_MS);
	}
}

/* The kernel says who called listen() on the other end. */
static int check_peer(const struct channel *channel)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(channel->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return errno;
#ifdef TEST_BUILD
	if (peer.uid == geteuid())
		peer.uid = DAEMON_UID;
#endif
	return size == sizeof peer && peer.uid == DAEMON_UID ? 0 : EPERM;
}

int channel_open(struct channel *channel, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int rc;

	if (strlen(path) >= sizeof address.sun_path)
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	rc = new_socket(&channel->fd);
	if (rc == 0)
		rc = connect_before_deadline(channel, &address);
	if (rc == 0)
		rc = check_peer(channel);
	if (rc != 0)
		channel_close(channel);
	return rc;
}

/* Counts the `n` bytes that a call has moved, or waits for the next call. */
static int moved(const struct channel *channel, short events, size_t *done,
    ssize_t n)
{
	if (n > 0)
		*done += (size_t)n;
	if (n > 0 || (n < 0 && errno == EINTR))
		return 0;
	if (n == 0)
		return ECONNRESET;
	return errno == EAGAIN ? await(channel, events) : errno;
}

int channel_read(struct channel *channel, void *bytes, size_t size)
{
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && done < size)
		rc = moved(channel, POLLIN, &done,
		    recv(channel->fd, (char *)bytes + done, size - done,
		        MSG_DONTWAIT));
	return rc;
}

int channel_write(struct channel *channel, const void *bytes, size_t size)
{
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && done < size)
		rc = moved(channel, POLLOUT, &done,
		    send(channel->fd, (const char *)bytes + done, size - done,
		        MSG_NOSIGNAL | MSG_DONTWAIT));
	return rc;
}

bool channel_pending(const struct channel *channel)
{
	struct pollfd polled = { .fd = channel->fd, .events = POLLIN };
	int n;

	do
		n = poll(&polled, 1, 0);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}
