/* Every number of the protocol and of the module; the reasons stand in
 * docs/reference/protocol.md. */
#ifndef LIMITS_H
#define LIMITS_H

#define PROTOCOL_VERSION 1

/* Sockets: the first belongs to root, the second is open to everybody. */
#define ROOT_SOCKET "/run/pve-authenticator/pam.sock"
#define USER_SOCKET "/run/pve-authenticator/user.sock"
#define SOCKET_PATHS 2
#define DAEMON_UID 0
#define FIRST_FREE_FD 3

/* Times, in milliseconds unless the name says otherwise. */
#define CONNECT_MS 2000
#define BACKLOG_RETRY_MS 20
#define FIRST_FRAME_MS 5000
#define ANSWERED_MS 15000
#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000
#define FAIL_DELAY_DEFAULT_US 2000000U
#define FAIL_DELAY_MAX_US 10000000U

/* Sizes on the wire, in bytes. */
#define LENGTH_SIZE 2
#define TYPE_SIZE 1
#define STR_SIZE 2
#define SHAPE_SIZE 2
#define PROMPT_SIZE 3
#define U16_MAX 65535
#define BYTE_BITS 8
#define BYTE_MASK 0xFF

/* What one login may hold. The longest frame that version 1 can bring is
 * a PROMPT with every shape and the longest text; START must fit it too. */
#define TEXT_MAX 8192
#define SHAPES_MAX 8
#define BODY_MAX                                                             \
	(TYPE_SIZE + PROMPT_SIZE + SHAPES_MAX * SHAPE_SIZE + STR_SIZE +          \
	    TEXT_MAX)
#define TYPED_MAX 1024
#define ANSWER_MAX 64
#define PROMPTS_MAX 16
#define NOTICES_MAX 32

/* Lengths a shape may have. A tail of a recovery code counts its dashes. */
#define DIGITS_MIN 6
#define DIGITS_MAX 8
#define MODHEX_MIN 32
#define MODHEX_MAX 48
#define RECOVERY_WHOLE 16
#define RECOVERY_TAIL 19
#define RECOVERY_GROUP 4

/* Room for a uid or gid in decimal. */
#define ID_TEXT 24

#endif
