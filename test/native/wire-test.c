/* Runs test/wire-vectors.json against native/pam/wire.c: what the daemon sends
 * is decoded, what the module sends is encoded and compared. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#include "vectors.h"

#define COUNT (sizeof vectors / sizeof *vectors)

static unsigned passed, failed;

static void check(bool good, const char *what, const char *name)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED: %s: %s\n", what, name);
}

/* Sends bytes and end of file through a socket; the result of receiving. */
static int receive(const char *bytes, size_t size, struct frame *frame,
    struct message *message)
{
	struct channel channel;
	int fds[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -1;
	if (send(fds[1], bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		return -1;
	close(fds[1]);
	channel.fd = fds[0];
	channel_allow(&channel, 1000);
	memset(frame, 0xA5, sizeof *frame);
	rc = frame_receive(frame, &channel, message);
	channel_close(&channel);
	return rc;
}

static bool same(const struct vector *vector, const struct message *message)
{
	const unsigned *n = vector->numbers;

	if (message->type == MESSAGE_VERDICT)
		return message->code == n[0] && message->shape == n[1] &&
		    message->fail_delay_us == n[2];
	if (strcmp(message->text, vector->text) != 0)
		return false;
	if (message->type == MESSAGE_NOTICE)
		return message->kind == n[0];
	if (message->source != n[0] || message->part != n[1] ||
	    message->count != vector->count)
		return false;
	for (size_t i = 0; i < vector->count; i++)
		if (message->shapes[i].class != vector->items[i].first ||
		    message->shapes[i].length != vector->items[i].second)
			return false;
	return true;
}

/* A cut frame is never a message; a changed byte never more than a refusal. */
static void damage(const struct vector *vector)
{
	static struct frame frame;
	struct message message;
	size_t size = vector->size < 64 ? vector->size : 64;

	for (size_t i = 0; i < size; i++) {
		check(receive(vector->bytes, i, &frame, &message) == ECONNRESET,
		    "cut", vector->name);
		for (unsigned flip = 1; flip < 256; flip++) {
			if (vector->size > sizeof frame.bytes - 1)
				break;
			memcpy(frame.bytes, vector->bytes, vector->size);
			frame.bytes[i] ^= (uint8_t)flip;
			frame.size = vector->size;
			int rc = frame_decode(&frame, &message);
			check(rc == 0 || rc == EBADMSG, "flip", vector->name);
		}
	}
}

static void test_decoding(const struct vector *vector)
{
	static struct frame frame;
	struct message message;
	int rc = receive(vector->bytes, vector->size, &frame, &message);

	if (!vector->valid) {
		check(rc == EBADMSG || rc == ECONNRESET, "refused", vector->name);
		return;
	}
	check(rc == 0 && same(vector, &message), "decoded", vector->name);
	damage(vector);
}

static enum message_type type_of(const struct vector *vector)
{
	if (strcmp(vector->message, "start") == 0)
		return MESSAGE_START;
	return strcmp(vector->message, "answer") == 0 ? MESSAGE_ANSWER
	                                              : MESSAGE_CANCEL;
}

/* Sends a frame through a socket; its bytes are what comes out. */
static int send_frame(struct frame *frame, uint8_t *sent, size_t *size)
{
	struct channel channel;
	int fds[2], rc;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -1;
	channel.fd = fds[0];
	channel_allow(&channel, 1000);
	rc = frame_send(frame, &channel);
	channel_close(&channel);
	n = recv(fds[1], sent, sizeof frame->bytes, MSG_WAITALL);
	*size = n < 0 ? 0 : (size_t)n;
	close(fds[1]);
	return rc;
}

static void test_encoding(const struct vector *vector)
{
	static struct frame frame;
	enum message_type type = type_of(vector);
	static uint8_t sent[sizeof frame.bytes];
	size_t size, numbers = type == MESSAGE_START ? 2 : type == MESSAGE_CANCEL;
	int rc;

	frame_begin(&frame, type);
	for (size_t i = 0; i < numbers; i++)
		frame_put(&frame, vector->numbers[i], U8);
	for (size_t i = 0; i < vector->count; i++)
		frame_put_item(&frame, vector->items[i].first,
		    vector->items[i].text, vector->items[i].length);
	rc = send_frame(&frame, sent, &size);
	if (vector->size > LENGTH_SIZE + BODY_MAX)
		check(rc == EMSGSIZE && size == 0, "too long to send", vector->name);
	else
		check(rc == 0 && size == vector->size &&
		        memcmp(sent, vector->bytes, size) == 0,
		    "encoded", vector->name);
}

static const struct fit {
	bool fits;
	uint8_t class, length;
	const char *text;
} fits[] = {
	{ true, 1, 6, "123456" },
	{ true, 1, 8, "00000000" },
	{ false, 1, 6, "12345" },
	{ false, 1, 6, "1234567" },
	{ false, 1, 6, "12345x" },
	{ false, 1, 6, "+12345" },
	{ false, 1, 6, "12 345" },
	{ false, 1, 6, "12345\xb2" },
	{ true, 2, 32, "cbdefghijklnrtuvcbdefghijklnrtuv" },
	{ true, 2, 32, "CBDEFGHIJKLNRTUVcbdefghijklnrtuv" },
	{ true, 2, 32, "jxe.uidchtnbpygkjxe.uidchtnbpygk" },
	{ true, 2, 32, "JXE.UIDCHTNBPYGKjxe.uidchtnbpygk" },
	{ false, 2, 32, "cbdefghijklnrtuvjxe.uidchtnbpygk" },
	{ false, 2, 32, "cbdefghijklnrtuvcbdefghijklnrtuo" },
	{ false, 2, 32, "cbdefghijklnrtuvcbdefghijklnrtu" },
	{ false, 2, 32, "cbdefghijklnrtuv-bdefghijklnrtuv" },
	{ true, 3, 16, "ABCDEFGHIJKLM234" },
	{ true, 3, 16, "abcdefgHIJKLM567" },
	{ false, 3, 16, "ABCDEFGHIJKLM018" },
	{ false, 3, 16, "ABCDEFGHIJKLM23" },
	{ true, 3, 19, "ABCD-efgh-IJKL-M234" },
	{ false, 3, 19, "ABCDXefgh-IJKL-M234" },
	{ false, 3, 19, "ABCD-efghXIJKL-M234" },
	{ false, 3, 19, "ABCD-efgh-IJKLXM234" },
	{ false, 3, 19, "ABCD-efgh-IJKL-M23-" },
	{ false, 3, 19, "ABCD-efgh-IJKL-M238" },
	{ false, 3, 19, "-BCD-efgh-IJKL-M234" },
	{ false, 0, 6, "123456" },
	{ false, 4, 6, "123456" },
};

static void test_shapes(void)
{
	for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
		const struct fit *fit = &fits[i];
		struct shape shape = { fit->class, fit->length };

		check(shape_fits(shape, fit->text, strlen(fit->text)) == fit->fits,
		    "shape", fit->text);
	}
	struct shape six = { 1, 6 };
	check(!shape_fits(six, "12\0 56", 6), "shape", "with NUL");
}

int main(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		const struct vector *vector = &vectors[i];
		char first = vector->message[0];

		if (first == 'p' || first == 'n' || first == 'v')
			test_decoding(vector);
		else if (vector->valid)
			test_encoding(vector);
	}
	test_shapes();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
