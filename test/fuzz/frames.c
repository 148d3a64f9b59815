/* Sends random frames through a socket to the module's own receiving code,
 * and compares the results with the model: frames COUNT SEED.
 *
 * One in four is random, one in four is good; the rest are good ones of
 * test/wire-vectors.json with some bytes changed, inserted or left out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model.h"
#include "wire.h"

#include "vectors.h"

#define COUNT (sizeof vectors / sizeof *vectors)
#define ROOM (4 * FRAME_MAX)

static uint64_t state;

/* xorshift64*: the same frames for the same seed, everywhere. */
static uint32_t chance(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

static size_t any_bytes(uint8_t *bytes)
{
	size_t size = 1 + chance(chance(100) == 0 ? 2 * FRAME_MAX : 64);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)chance(256);
	if (size > 2 && chance(2) == 0) {
		bytes[0] = (uint8_t)((size - 2) >> 8);
		bytes[1] = (uint8_t)(size - 2);
		bytes[2] = (uint8_t)(0x80 + chance(5));
	}
	return size;
}

static size_t good_bytes(uint8_t *bytes)
{
	const struct vector *vector;

	do
		vector = &vectors[chance(COUNT)];
	while (!vector->valid || vector->size > FRAME_MAX ||
	    (vector->size > 300 && chance(20) != 0) ||
	    strchr("pnv", vector->message[0]) == NULL);
	memcpy(bytes, vector->bytes, vector->size);
	return vector->size;
}

/* Most changes are near the start, where the fields are. */
static size_t change(uint8_t *bytes, size_t size)
{
	size_t place = chance((uint32_t)(chance(2) == 0 && size > 16 ? 16 : size));

	switch (chance(4)) {
	case 0:
		bytes[place] = (uint8_t)chance(256);
		return size;
	case 1:
		bytes[place] ^= (uint8_t)(1U << chance(8));
		return size;
	case 2:
		memmove(bytes + place + 1, bytes + place, size - place);
		bytes[place] = (uint8_t)chance(256);
		return size + 1;
	default:
		memmove(bytes + place, bytes + place + 1, size - place - 1);
		return size - (size > 1);
	}
}

static size_t next_frame(uint8_t *bytes)
{
	uint32_t kind = chance(4);
	size_t size = kind == 0 ? any_bytes(bytes) : good_bytes(bytes);

	for (uint32_t i = kind < 2 ? 0 : 1 + chance(3); i > 0; i--)
		size = change(bytes, size);
	return size;
}

/* Nothing more comes, and the deadline is long past. */
static int expected(const uint8_t *bytes, size_t size, struct meaning *meaning)
{
	int taken = understand(bytes, size, meaning);

	return taken > 0 ? 0 : taken < 0 ? EBADMSG : ETIMEDOUT;
}

static bool same_text(const struct message *message,
    const struct meaning *meaning)
{
	if (meaning->type == VERDICT)
		return message->code == meaning->code &&
		    message->shape == meaning->shape &&
		    message->fail_delay_us == meaning->delay;
	return strlen(message->text) == meaning->text_size &&
	    memcmp(message->text, meaning->text, meaning->text_size) == 0;
}

static void drain(int fd)
{
	static uint8_t rest[ROOM];

	while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
		continue;
}

/* Returns false if the module's code read it differently. */
static bool try_frame(const int fds[2], struct frame *frame, unsigned *good)
{
	static uint8_t bytes[ROOM];
	struct channel channel = { .fd = fds[0] }; /* a deadline long past */
	struct message message;
	struct meaning meaning;
	size_t size = next_frame(bytes);
	int rc;

	if (send(fds[1], bytes, size, 0) != (ssize_t)size)
		return false;
	rc = frame_receive(frame, &channel, &message);
	drain(fds[0]);
	*good += rc == 0;
	return rc == expected(bytes, size, &meaning) &&
	    (rc != 0 ||
	        (message.type == meaning.type && same_text(&message, &meaning)));
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	unsigned good = 0;
	struct frame *frame = malloc(sizeof *frame);
	int fds[2];

	state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 1;
	if (frame == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return 2;
	for (unsigned long i = 0; i < count; i++) {
		if (try_frame(fds, frame, &good))
			continue;
		printf("frame %lu of seed %s is misunderstood\n", i,
		    argc > 2 ? argv[2] : "1");
		return 1;
	}
	printf("%lu frames, %u of them good\n", count, good);
	free(frame);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
