/* What a fuzzed login is made of. The input is a list of
 *
 *   u8 op · u8 size · size bytes
 *
 * where 0x80 in op is a mark (see below). Text of the form 0xFE · u16 n ·
 * pattern stands for n bytes that repeat the pattern. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op {
	OP_HOST,     /* u8 host flags · u8 first socket · u32 uid · u32 gid */
	OP_ITEM,     /* u8 item · text */
	OP_ARGUMENT, /* text: one argument of the module */
	OP_TYPED,    /* u8 how · text: the next answer of the conversation */
	OP_THINK,    /* u16 milliseconds, before that answer */
	OP_FAULT,    /* u8 call · u8 which one · u8 effect */
	OP_RAW,      /* text: the daemon sends these bytes */
	OP_FRAME,    /* u8 type · text: the same, with the right length before */
	OP_PROMPT,   /* u8 source · u8 part · u8 count · shapes · text */
	OP_NOTICE,   /* u8 kind · text */
	OP_VERDICT,  /* u8 code · u8 shape · u32 delay */
	OP_WAIT,     /* u16 milliseconds: the daemon takes its time */
	OP_HANGUP,   /* u8 0 close, 1 shut down one way */
	OP_PIECES,   /* u8 bytes that one recv gives at most; 0 all */
	OPS
};

/* The daemon waits for its turn before it sends; with the mark it does not. */
#define OP_MARK 0x80

enum host_flag {
	HOST_SILENT = 1,
	HOST_NO_NULL = 2,
	HOST_NO_USER = 4,      /* the module asks for the name */
	HOST_UNKNOWN_USER = 8, /* no passwd entry */
	HOST_NO_STDIN = 16,    /* descriptor 0 is closed */
	HOST_NO_CONV = 32,
	HOST_SECOND_SOCKET = 64,
	HOST_SECOND_MISSING = 128, /* with HOST_SECOND_SOCKET */
};

enum first_socket { SOCKET_GOOD, SOCKET_MISSING, SOCKET_TOO_LONG, SOCKETS };

enum item {
	ITEM_USER,
	ITEM_RHOST,
	ITEM_TTY,
	ITEM_RUSER,
	ITEM_HOME,
	ITEM_NAME,    /* canonical, in the passwd entry */
	ITEM_STACKED, /* PAM_AUTHTOK of a module before */
	ITEMS
};

enum how {
	HOW_ANSWER,
	HOW_NO_ARRAY,
	HOW_NO_TEXT,
	HOW_ERROR, /* the first byte of the text is the return value */
	HOW_ERROR_AND_ANSWER,
	HOWS
};

/* Which call fails, and how: system.c. */
enum call {
	CALL_SOCKET,
	CALL_DUP,
	CALL_CONNECT,
	CALL_PEER,
	CALL_POLL,
	CALL_RECV,
	CALL_SEND,
	CALL_CLOCK,
	CALL_CLOSE,
	CALL_GET_USER,
	CALL_GET_AUTHTOK,
	CALL_SET_AUTHTOK,
	CALL_PROMPT,
	CALLS
};

struct fault {
	uint8_t call, which, effect;
};

struct typed {
	uint8_t how;
	int rc;
	unsigned think_ms;
	const char *text;
};

/* One thing that the daemon does. */
struct step {
	enum op op;
	bool in_turn;
	const uint8_t *bytes;
	size_t size;
	unsigned value; /* milliseconds, or how to hang up */
};

#define STEPS_MAX 96
#define TYPED_LIMIT 24
#define FAULTS_MAX 24
#define ARGUMENTS_MAX 12

struct script {
	uint8_t flags, first_socket;
	uint32_t uid, gid;
	const char *items[ITEMS];
	const char *arguments[ARGUMENTS_MAX];
	size_t argument_count;
	struct typed typed[TYPED_LIMIT];
	size_t typed_count;
	unsigned think_ms;
	struct fault faults[FAULTS_MAX];
	size_t fault_count;
	struct step steps[STEPS_MAX];
	size_t step_count;
	size_t piece;
};

/* The texts live until the next script is read. */
void script_read(struct script *script, const uint8_t *data, size_t size);

#endif
