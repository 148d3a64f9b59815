#pragma once

#include <cstddef>
#include <cstdint>

/** Identifies a state of a file. */
struct FileIdentity {
  uint64_t device, inode, size;
  int64_t modified_s, modified_ns, changed_s, changed_ns;
};

/** The result of reading. */
enum class SmallRead { kRead, kUnfit, kFailed };

/**
 * Reads a small regular file as a whole, with the state that it had. It never
 * follows a link to it, and never waits for the other end of a pipe.
 *
 * kRead: `size` bytes are in `into`. kUnfit: it is not a regular file, or has
 * more than `room` bytes. kFailed: errno says why, `step` at which system call.
 */
SmallRead ReadSmall(const char* path, uint8_t* into, size_t room, size_t* size,
                    FileIdentity* identity, const char** step);

/** Whether the name still leads to the same file in the same state. */
bool IsStill(const char* path, const FileIdentity& identity);
