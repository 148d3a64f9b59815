#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "secret_bytes.h"

/** The kinds of events; src/host/login-lines.ts has the same numbers. */
enum class LineEvent : uint32_t {
  kOpened = 1,       // first: tag of the socket, second: uid of the peer
  kMessage = 2,      // first: where its type is in the arena, second: bytes
  kEnded = 3,        // the peer hung up, or the line broke
  kBadLength = 4,    // first: a length field that is out of bounds
  kOutOfTurn = 5,    // more came with a frame; module and daemon take turns
  kNotAccepted = 6,  // first: errno, second: tag of the socket; it has no line
};

/** One event, as JavaScript reads it: five numbers. */
struct LineReport {
  uint32_t kind;
  uint32_t slot;
  uint32_t generation;
  uint32_t first;
  uint32_t second;
};

constexpr size_t kReports = 128;
constexpr size_t kFrameHeader = 2;
constexpr size_t kMaxFrame = 16383;  // type and payload: docs/reference/protocol.md
constexpr size_t kFrameBytes = kFrameHeader + kMaxFrame;
constexpr size_t kArenaBytes = 8 * kFrameBytes;
constexpr size_t kLines = 1024;  // there are no descriptors for more

/**
 * All connections of PAM modules behind one epoll. It accepts them and cuts
 * what they send into whole frames. It knows nothing of JavaScript.
 *
 * A line is named by its slot and a generation, so an old name never reaches a
 * new line with the same slot or descriptor.
 */
class Lines {
 public:
  /** The caller keeps all three: kArenaBytes, and room for kReports. */
  Lines(int epoll, uint8_t* arena, LineReport* reports);
  ~Lines() { Close(); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /** Accepts from a socket, which is ours from now on. False: see errno. */
  bool Listen(int fd, uint32_t tag);
  /** While paused, connections to a tag's sockets wait in the kernel. */
  void Pause(uint32_t tag);
  void Resume(uint32_t tag);

  /** Collects the events, without waiting. Returns the number of reports. */
  size_t Collect();
  /** Wipes what Collect() put into the arena. */
  void Wipe();

  /** Whether the line is there and the kernel took all of the bytes. */
  bool Send(uint32_t slot, uint32_t generation, const void* bytes, size_t size);
  /** Hangs up; what was sent still arrives. An old name does nothing. */
  void HangUp(uint32_t slot, uint32_t generation);
  /** Closes all lines and the sockets. A second call does nothing. */
  void Close();

 private:
  struct Line {
    int fd = -1;
    uint32_t generation = 0;
    SecretBytes pending;  // the beginning of a frame; most come whole
  };
  struct Listener {
    int fd;
    uint32_t tag;
  };

  bool HasRoom() const;
  void Report(LineEvent kind, uint32_t slot, size_t first, size_t second);
  void ReportNotAccepted(int error, uint32_t tag);
  bool Watch(int fd, uint32_t slot, uint32_t generation) const;
  void Accept(const Listener& listener);
  bool TakeIn(int connection, uint32_t tag);
  void Receive(uint32_t slot);
  void Sort(uint32_t slot, size_t size);
  void End(uint32_t slot, LineEvent kind, size_t first);
  void Free(uint32_t slot);
  Line* Find(uint32_t slot, uint32_t generation);

  const int epoll_;
  uint8_t* const arena_;
  LineReport* const reports_;
  size_t used_ = 0;  // of the arena
  size_t count_ = 0;
  bool closed_ = false;
  std::vector<Listener> listeners_;
  std::vector<Line> lines_;
  std::vector<uint32_t> free_;
};
