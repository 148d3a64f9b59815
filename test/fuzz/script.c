#include "script.h"

#include <string.h>

#define ARENA_SIZE (512 * 1024)
#define REPEAT 0xFE
#define TEXT_LIMIT 20000
#define LINE_LIMIT 600 /* libpam's lines have 1,024 bytes */

static uint8_t arena[ARENA_SIZE];
static size_t arena_used, line_used;

struct bytes {
	const uint8_t *at;
	size_t size;
};

static uint8_t take_u8(struct bytes *bytes)
{
	if (bytes->size == 0)
		return 0;
	bytes->size--;
	return *bytes->at++;
}

static uint32_t take(struct bytes *bytes, unsigned size)
{
	uint32_t value = 0;

	while (size-- > 0)
		value = value << 8 | take_u8(bytes);
	return value;
}

static uint8_t *reserve(size_t size)
{
	uint8_t *room = arena + arena_used;

	if (size > ARENA_SIZE - arena_used)
		return NULL;
	arena_used += size;
	return room;
}

/* The text in full, after `before` bytes of room and with a NUL behind it. */
static struct bytes expand(struct bytes text, size_t before)
{
	size_t size = text.size;
	uint8_t *room;

	if (size > 3 && text.at[0] == REPEAT) {
		take_u8(&text);
		size = take(&text, 2) % TEXT_LIMIT;
	}
	room = reserve(before + size + 1);
	if (room == NULL)
		return (struct bytes){ (const uint8_t *)"", 0 };
	memset(room, 0, before);
	for (size_t i = 0; i < size; i++)
		room[before + i] = text.at[i % text.size];
	room[before + size] = 0;
	return (struct bytes){ room, before + size };
}

static const char *expand_text(struct bytes text)
{
	return (const char *)expand(text, 0).at;
}

/* An argument as it may stand in a PAM file. */
static void add_argument(struct script *script, struct bytes text)
{
	char *argument = (char *)expand(text, 0).at;
	size_t length = strlen(argument);

	if (length == 0 || length + line_used >= LINE_LIMIT ||
	    script->argument_count == ARGUMENTS_MAX ||
	    strncmp(argument, "socket=", 7) == 0)
		return;
	for (size_t i = 0; i < length; i++)
		if ((uint8_t)argument[i] <= ' ' ||
		    strchr("[]\\#", argument[i]) != NULL)
			argument[i] = '_';
	line_used += length + 1;
	script->arguments[script->argument_count++] = argument;
}

static void add_typed(struct script *script, struct bytes bytes)
{
	struct typed *typed;

	if (script->typed_count == TYPED_LIMIT)
		return;
	typed = &script->typed[script->typed_count++];
	typed->how = take_u8(&bytes) % HOWS;
	typed->rc = bytes.size > 0 ? bytes.at[0] % 40 : 0;
	typed->think_ms = script->think_ms;
	typed->text = expand_text(bytes);
	script->think_ms = 0;
}

static void add_fault(struct script *script, struct bytes bytes)
{
	if (script->fault_count == FAULTS_MAX)
		return;
	script->faults[script->fault_count++] = (struct fault){
		.call = take_u8(&bytes) % CALLS,
		.which = take_u8(&bytes),
		.effect = take_u8(&bytes),
	};
}

static void put_u16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A frame whose last field is a text after `head` bytes of the input. */
static struct bytes frame_with_text(uint8_t type, struct bytes bytes,
    size_t head)
{
	struct bytes fixed = bytes, frame;
	uint8_t *at;

	if (head > bytes.size)
		head = bytes.size;
	frame = expand((struct bytes){ bytes.at + head, bytes.size - head },
	    3 + head + 2);
	if (frame.size < 3 + head + 2)
		return frame;
	at = (uint8_t *)frame.at;
	put_u16(at, frame.size - 2);
	at[2] = type;
	memcpy(at + 3, fixed.at, head);
	put_u16(at + 3 + head, frame.size - 3 - head - 2);
	return frame;
}

static struct bytes frame_of(uint8_t type, struct bytes body)
{
	struct bytes frame = expand(body, 3);

	if (frame.size < 3)
		return frame;
	put_u16((uint8_t *)frame.at, frame.size - 2);
	((uint8_t *)frame.at)[2] = type;
	return frame;
}

static struct bytes frame_of_op(enum op op, struct bytes bytes)
{
	uint8_t type;

	switch (op) {
	case OP_PROMPT:
		return frame_with_text(0x81, bytes,
		    bytes.size < 3 ? 3 : 3 + 2 * (size_t)(bytes.at[2] % 16));
	case OP_NOTICE:
		return frame_with_text(0x82, bytes, 1);
	case OP_VERDICT:
		return frame_of(0x83, bytes);
	case OP_FRAME:
		type = take_u8(&bytes);
		return frame_of(type, bytes);
	default:
		return expand(bytes, 0);
	}
}

static void add_step(struct script *script, enum op op, bool in_turn,
    struct bytes bytes)
{
	struct step *step;

	if (script->step_count == STEPS_MAX)
		return;
	step = &script->steps[script->step_count++];
	*step = (struct step){ .op = op, .in_turn = in_turn };
	if (op == OP_WAIT || op == OP_HANGUP) {
		step->value = take(&bytes, op == OP_WAIT ? 2 : 1);
		return;
	}
	bytes = frame_of_op(op, bytes);
	step->bytes = bytes.at;
	step->size = bytes.size;
}

static void set_host(struct script *script, struct bytes bytes)
{
	script->flags = take_u8(&bytes);
	script->first_socket = take_u8(&bytes) % SOCKETS;
	script->uid = take(&bytes, 4);
	script->gid = take(&bytes, 4);
}

static void add(struct script *script, uint8_t op, struct bytes bytes)
{
	uint8_t item;

	switch (op % OP_MARK % OPS) {
	case OP_HOST:
		set_host(script, bytes);
		break;
	case OP_ITEM:
		item = take_u8(&bytes) % ITEMS;
		script->items[item] = expand_text(bytes);
		break;
	case OP_ARGUMENT:
		add_argument(script, bytes);
		break;
	case OP_TYPED:
		add_typed(script, bytes);
		break;
	case OP_THINK:
		script->think_ms = take(&bytes, 2);
		break;
	case OP_FAULT:
		add_fault(script, bytes);
		break;
	case OP_PIECES:
		script->piece = take_u8(&bytes);
		break;
	default:
		add_step(script, op % OP_MARK % OPS, op < OP_MARK, bytes);
	}
}

void script_read(struct script *script, const uint8_t *data, size_t size)
{
	size_t length;

	memset(script, 0, sizeof *script);
	script->items[ITEM_USER] = "alice";
	script->items[ITEM_NAME] = "alice";
	script->items[ITEM_HOME] = "/home/alice";
	arena_used = line_used = 0;
	while (size >= 2) {
		length = data[1] < size - 2 ? data[1] : size - 2;
		add(script, data[0], (struct bytes){ data + 2, length });
		data += 2 + length;
		size -= 2 + length;
	}
}
