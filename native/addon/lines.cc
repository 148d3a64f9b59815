#include "lines.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

// A burst must not block the event loop: events that are left
// wakes us again at the next turn.
constexpr int kMaxWakeups = 64;
constexpr int kMaxAccepts = 32;
constexpr size_t kReportsPerLine = 2;  // it came, and what it said
constexpr uint32_t kListener = UINT32_MAX;  // in the place of a generation

}  // namespace

Lines::Lines(int epoll, uint8_t* arena, LineReport* reports)
    : epoll_(epoll), arena_(arena), reports_(reports), lines_(kLines) {
  free_.reserve(kLines);
  for (size_t slot = kLines; slot > 0; --slot) {
    free_.push_back(static_cast<uint32_t>(slot - 1));
  }
}

// The socket may be blocking, for example from systemd.
bool Lines::Listen(int fd, uint32_t tag) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return false;
  const auto index = static_cast<uint32_t>(listeners_.size());
  if (!Watch(fd, index, kListener)) return false;
  listeners_.push_back({fd, tag});
  return true;
}

void Lines::Pause(uint32_t tag) {
  for (const Listener& listener : listeners_) {
    if (listener.tag != tag) continue;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, listener.fd, nullptr);
  }
}

void Lines::Resume(uint32_t tag) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].tag != tag) continue;
    Watch(listeners_[i].fd, static_cast<uint32_t>(i), kListener);
  }
}

size_t Lines::Collect() {
  epoll_event ready[kMaxWakeups];
  count_ = 0;
  const int n = epoll_wait(epoll_, ready, kMaxWakeups, 0);
  for (int i = 0; i < n && HasRoom(); ++i) {
    const auto slot = static_cast<uint32_t>(ready[i].data.u64);
    const auto generation = static_cast<uint32_t>(ready[i].data.u64 >> 32);
    if (generation == kListener) {
      Accept(listeners_[slot]);
    } else if (Find(slot, generation) != nullptr) {
      Receive(slot);
    }
  }
  return count_;
}

void Lines::Wipe() {
  explicit_bzero(arena_, used_);
  used_ = 0;
}

bool Lines::Send(uint32_t slot, uint32_t generation, const void* bytes,
                 size_t size) {
  const Line* line = Find(slot, generation);
  if (line == nullptr) return false;
  ssize_t n;
  do {
    n = send(line->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n >= 0 && static_cast<size_t>(n) == size;
}

void Lines::HangUp(uint32_t slot, uint32_t generation) {
  if (Find(slot, generation) != nullptr) Free(slot);
}

void Lines::Close() {
  if (closed_) return;
  closed_ = true;
  for (uint32_t slot = 0; slot < kLines; ++slot) {
    if (lines_[slot].fd >= 0) Free(slot);
  }
  for (const Listener& listener : listeners_) close(listener.fd);
  listeners_.clear();
  Wipe();
}

bool Lines::HasRoom() const {
  return kArenaBytes - used_ >= kFrameBytes &&
         kReports - count_ >= kReportsPerLine;
}

void Lines::Report(LineEvent kind, uint32_t slot, size_t first, size_t second) {
  reports_[count_++] = {static_cast<uint32_t>(kind), slot,
                        lines_[slot].generation, static_cast<uint32_t>(first),
                        static_cast<uint32_t>(second)};
}

void Lines::ReportNotAccepted(int error, uint32_t tag) {
  reports_[count_++] = {static_cast<uint32_t>(LineEvent::kNotAccepted), 0, 0,
                        static_cast<uint32_t>(error), tag};
}

bool Lines::Watch(int fd, uint32_t slot, uint32_t generation) const {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = static_cast<uint64_t>(generation) << 32 | slot;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

void Lines::Accept(const Listener& listener) {
  for (int i = 0; i < kMaxAccepts && HasRoom(); ++i) {
    if (free_.empty()) return ReportNotAccepted(EMFILE, listener.tag);
    const int connection =
        accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) ReportNotAccepted(errno, listener.tag);
      return;
    }
    if (!TakeIn(connection, listener.tag)) {
      const int error = errno;
      close(connection);
      return ReportNotAccepted(error, listener.tag);
    }
  }
}

bool Lines::TakeIn(int connection, uint32_t tag) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const uint32_t slot = free_.back();
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      !Watch(connection, slot, lines_[slot].generation)) {
    return false;
  }
  free_.pop_back();
  lines_[slot].fd = connection;
  Report(LineEvent::kOpened, slot, tag, peer.uid);
  Receive(slot);  // START comes at once, most often before epoll would say so
  return true;
}

void Lines::Receive(uint32_t slot) {
  Line& line = lines_[slot];
  uint8_t* const frame = arena_ + used_;
  const size_t pending = line.pending.size();
  ssize_t n;
  do {
    n = recv(line.fd, frame + pending, kFrameBytes - pending, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return End(slot, LineEvent::kEnded, 0);
  if (pending > 0) memcpy(frame, line.pending.data(), pending);
  line.pending.Wipe();
  Sort(slot, pending + static_cast<size_t>(n));
}

// Bytes that are not passed on as a frame are wiped here.
void Lines::Sort(uint32_t slot, size_t size) {
  uint8_t* const frame = arena_ + used_;
  const size_t length =
      size < kFrameHeader ? 1 : static_cast<size_t>(frame[0]) << 8 | frame[1];
  if (length >= 1 && length <= kMaxFrame && size == kFrameHeader + length) {
    Report(LineEvent::kMessage, slot, used_ + kFrameHeader, length);
    used_ += size;
    return;
  }
  if (length < 1 || length > kMaxFrame) {
    End(slot, LineEvent::kBadLength, length);
  } else if (size > kFrameHeader + length) {
    End(slot, LineEvent::kOutOfTurn, 0);
  } else {
    lines_[slot].pending = SecretBytes(frame, size);
  }
  explicit_bzero(frame, size);
}

void Lines::End(uint32_t slot, LineEvent kind, size_t first) {
  Report(kind, slot, first, 0);
  Free(slot);
}

void Lines::Free(uint32_t slot) {
  Line& line = lines_[slot];
  close(line.fd);  // epoll forgets it with that
  line.fd = -1;
  line.pending = SecretBytes();
  if (++line.generation == kListener) line.generation = 0;
  free_.push_back(slot);
}

Lines::Line* Lines::Find(uint32_t slot, uint32_t generation) {
  if (slot >= kLines) return nullptr;
  Line& line = lines_[slot];
  return line.fd >= 0 && line.generation == generation ? &line : nullptr;
}
