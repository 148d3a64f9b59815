/* One connection to the daemon: bytes with a deadline. Every function returns
 * 0 or an errno; ETIMEDOUT: the deadline passed, ECONNRESET: end of file. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel {
	int fd;           /* -1: none */
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC */
};

/* Sets the deadline to `ms` from now. */
void channel_allow(struct channel *channel, int64_t ms);

/* Connects to the socket at `path` before the deadline, as often as a full
 * backlog needs. EPERM: who listens there is not the daemon. */
int channel_open(struct channel *channel, const char *path);

/* Reads exactly `size` bytes. What has already come is read even after the
 * deadline, because the conversation with the person may have taken long. */
int channel_read(struct channel *channel, void *bytes, size_t size);

/* Writes all of `size` bytes. */
int channel_write(struct channel *channel, const void *bytes, size_t size);

/* True if the daemon has sent something, or hung up. */
bool channel_pending(const struct channel *channel);

void channel_close(struct channel *channel);

#endif
