/*
 * silent-fuse MOUNTPOINT UID
 *
 * A file system that never answers, over /dev/fuse and without libfuse: it
 * agrees on the protocol, prints "silent", and reads no further request. When
 * a line comes on its standard input it prints "answering" and serves a root
 * directory of UID with one file, ".google_authenticator" of mode 0400. It
 * ends, and unmounts, with the end of its standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME ".google_authenticator"
#define CONTENTS "written on FUSE\n"
#define ROOT_NODE 1
#define FILE_NODE 2
#define LARGEST_REQUEST (1 << 20)

static int device;
static unsigned uid;
static char request[LARGEST_REQUEST];

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void answer(int error, const void *body, size_t size) {
	const struct fuse_in_header *in = (const void *)request;
	struct fuse_out_header out = {
		.len = (unsigned)(sizeof out + size),
		.error = -error,
		.unique = in->unique,
	};
	struct iovec parts[] = {
		{ &out, sizeof out },
		{ (void *)(size_t)body, size },
	};
	/* ENOENT: the requesting process is gone. */
	if (writev(device, parts, size == 0 ? 1 : 2) < 0 && errno != ENOENT)
		die("answer");
}

static struct fuse_attr attributes(unsigned long long node) {
	struct fuse_attr attr = { .ino = node, .uid = uid, .gid = uid };
	attr.nlink = 1;
	attr.blksize = 4096;
	attr.mode = node == ROOT_NODE ? S_IFDIR | 0755 : S_IFREG | 0400;
	attr.size = node == ROOT_NODE ? 0 : strlen(CONTENTS);
	return attr;
}

static void look_up(const char *name) {
	struct fuse_entry_out entry = { .nodeid = FILE_NODE };
	if (strcmp(name, NAME) != 0) {
		answer(ENOENT, NULL, 0);
		return;
	}
	entry.attr = attributes(FILE_NODE);
	answer(0, &entry, sizeof entry);
}

static void read_file(const struct fuse_read_in *in) {
	size_t left = in->offset < strlen(CONTENTS)
			      ? strlen(CONTENTS) - in->offset
			      : 0;
	answer(0, CONTENTS + strlen(CONTENTS) - left,
	       left < in->size ? left : in->size);
}

static void serve(void) {
	const struct fuse_in_header *in = (const void *)request;
	const void *body = in + 1;
	struct fuse_attr_out attr = { .attr_valid = 0 };
	struct fuse_open_out opened = { .fh = 0 };
	struct fuse_statfs_out file_system = { .st = { .bsize = 4096 } };

	switch (in->opcode) {
	case FUSE_LOOKUP:
		look_up(body);
		break;
	case FUSE_GETATTR:
		attr.attr = attributes(in->nodeid);
		answer(0, &attr, sizeof attr);
		break;
	case FUSE_OPEN:
		answer(0, &opened, sizeof opened);
		break;
	case FUSE_READ:
		read_file(body);
		break;
	case FUSE_STATFS:
		answer(0, &file_system, sizeof file_system);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		answer(0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(ENOSYS, NULL, 0);
	}
}

static void take(void) {
	if (read(device, request, sizeof request) < 0 && errno != EINTR &&
	    errno != ENOENT)
		die("request");
}

static void mount_on(const char *point) {
	char options[128];
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	snprintf(options, sizeof options,
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,"
		 "default_permissions",
		 device);
	if (mount("silent", point, "fuse", MS_NOSUID | MS_NODEV, options) != 0)
		die("mount");
}

static void agree(void) {
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_write = 65536,
	};
	take();
	answer(0, &out, sizeof out);
}

int main(int argc, char **argv) {
	struct pollfd ready[2];
	char line[64];

	if (argc != 3)
		return 64;
	uid = (unsigned)strtoul(argv[2], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_on(argv[1]);
	agree();
	puts("silent");
	if (read(0, line, sizeof line) > 0) {
		puts("answering");
		ready[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
		ready[1] = (struct pollfd){ .fd = device, .events = POLLIN };
		while (poll(ready, 2, -1) > 0 && ready[0].revents == 0) {
			take();
			serve();
		}
	}
	umount2(argv[1], MNT_DETACH);
	return 0;
}
