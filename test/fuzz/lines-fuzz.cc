// Fuzzes native/addon/lines.cc against real sockets: modules that send frames
// cut anywhere, nonsense, or several at once, hang up at any moment, and come
// again to the same slot. Each step of the input is one act; after each batch
// the reports are compared with what was sent. docs/explanation/fuzzing.md.

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "lines.h"

namespace {

constexpr int kClients = 12;
constexpr uint32_t kTag = 5;

void Check(bool good, const char* what) {
  if (good) return;
  fprintf(stderr, "BROKEN %s\n", what);
  abort();
}

struct Client {
  int fd = -1;
  bool accepted = false;
  uint64_t name = 0;  // of its line, once it is accepted
  bool hung_up = false;
  std::string sent;      // and not reported yet
};

/** The input, read as numbers; zeros when it has ended. */
class Input {
 public:
  Input(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}
  bool More() const { return at_ < size_; }
  uint8_t Byte() { return More() ? bytes_[at_++] : 0; }
  size_t Short() {
    const size_t high = Byte();
    return high << 8 | Byte();
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
  size_t at_ = 0;
};

int Descriptors() {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

class World {
 public:
  World() : epoll_(epoll_create1(EPOLL_CLOEXEC)), lines_(epoll_, arena_, reports_) {
    const int listener =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address_.sun_family = AF_UNIX;
    snprintf(address_.sun_path + 1, sizeof address_.sun_path - 1, "lines-%d",
             getpid());
    if (bind(listener, Address(), sizeof address_) != 0) { perror("bind"); abort(); }
    Check(listen(listener, kClients) == 0, "listen");
    Check(lines_.Listen(listener, kTag), "Listen");
  }
  ~World() {
    for (Client& client : clients_) {
      if (client.fd >= 0) close(client.fd);
    }
    lines_.Close();
    close(epoll_);
    CheckWiped();
  }

  void Act(Input& input) {
    Client& client = clients_[input.Byte() % kClients];
    switch (input.Byte() % 9) {
      case 0: return Connect(client);
      case 1: return Say(client, Frame(1 + input.Short() % kMaxFrame, 0));
      case 2: return Say(client, Frame(1 + input.Byte(), 0));
      case 3: return Say(client, Frame(1 + input.Byte(), 1 + input.Byte()));
      case 4: return SayRaw(client, input);
      case 5: return HangUp(client);
      case 6: return Drop(client, input.Byte());
      case 7: return Say(client, Frame(1 + input.Byte(), 0) + "!");
      default: return Collect();
    }
  }

  void Collect() {
    for (size_t count = lines_.Collect(); count > 0; count = lines_.Collect()) {
      Check(count <= kReports, "too many reports");
      for (size_t i = 0; i < count; ++i) Compare(reports_[i]);
      lines_.Wipe();
    }
    CheckWiped();
    for (const Client& client : clients_) CheckTold(client);
  }

 private:
  /** What has come and was not told is the beginning of a frame. */
  static void CheckTold(const Client& client) {
    if (client.fd < 0 || client.sent.size() < kFrameHeader) return;
    const size_t length = Length(client);
    Check(length >= 1 && length <= kMaxFrame &&
              client.sent.size() < kFrameHeader + length,
          "a frame was kept back");
  }

  void CheckWiped() const {
    static const uint8_t zeros[kArenaBytes] = {};
    Check(memcmp(arena_, zeros, kArenaBytes) == 0, "a byte outlives the batch");
  }

  sockaddr* Address() { return reinterpret_cast<sockaddr*>(&address_); }

  void Connect(Client& client) {
    if (client.fd >= 0) return;
    client = Client();
    client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    Check(connect(client.fd, Address(), sizeof address_) == 0, "connect");
    waiting_.push_back(&client);
  }

  /** A frame, of which the last bytes are kept back for the next time. */
  std::string Frame(size_t length, size_t kept) {
    std::string frame{static_cast<char>(length >> 8), static_cast<char>(length)};
    while (frame.size() < length + kFrameHeader) {
      frame += static_cast<char>('a' + next_++ % 26);
    }
    const size_t cut = kept < frame.size() ? frame.size() - kept : 1;
    const std::string now = kept_ + frame.substr(0, cut);
    kept_ = frame.substr(cut);
    return now;
  }

  void SayRaw(Client& client, Input& input) {
    std::string bytes;
    for (size_t n = input.Byte() % 16; n > 0; --n) {
      bytes += static_cast<char>(input.Byte());
    }
    Say(client, bytes);
  }

  void Say(Client& client, const std::string& bytes) {
    if (client.fd < 0 || client.hung_up) return;
    const ssize_t n =
        send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) client.sent.append(bytes, 0, static_cast<size_t>(n));
  }

  // The waiting ones are accepted first: their turn must not be lost.
  void HangUp(Client& client) {
    if (client.fd < 0) return;
    Collect();
    if (client.fd < 0) return;
    client.hung_up = true;
    close(client.fd);
    client.fd = -1;
    Collect();
  }

  void Drop(Client& client, uint8_t how) {
    Collect();
    if (client.fd < 0 || !client.accepted) return;
    const auto slot = static_cast<uint32_t>(client.name);
    const auto generation = static_cast<uint32_t>(client.name >> 32);
    Check(!lines_.Send(slot, generation + 1, "x", 1), "a later name works");
    lines_.HangUp(slot, generation + 1);
    Check(lines_.Send(slot, generation, "x", 1), "its own name does not work");
    if (how % 2 == 0) return;
    lines_.HangUp(slot, generation);
    Check(!lines_.Send(slot, generation, "x", 1), "an old name works");
    Forget(client);
  }

  void Forget(Client& client) {
    if (client.accepted) names_.erase(client.name);
    if (client.fd >= 0) close(client.fd);
    client = Client();
  }

  void Compare(const LineReport& report) {
    const uint64_t name =
        static_cast<uint64_t>(report.generation) << 32 | report.slot;
    const auto kind = static_cast<LineEvent>(report.kind);
    Check(kind != LineEvent::kNotAccepted, "not accepted");
    if (kind == LineEvent::kOpened) return Opened(report, name);
    const auto found = names_.find(name);
    Check(found != names_.end(), "a report of a line that nobody has");
    Client& client = *found->second;
    if (kind == LineEvent::kMessage) return Message(client, report);
    CompareEnd(client, kind, report.first);
    Forget(client);
  }

  void Opened(const LineReport& report, uint64_t name) {
    Check(report.first == kTag && report.second == getuid(), "who came");
    Check(!waiting_.empty(), "nobody came");
    Check(names_.count(name) == 0, "a name that somebody has");
    waiting_.front()->accepted = true;
    waiting_.front()->name = name;
    names_[name] = waiting_.front();
    waiting_.pop_front();
  }

  void Message(Client& client, const LineReport& report) {
    const size_t size = kFrameHeader + report.second;
    Check(client.sent.size() >= size, "more came than was sent");
    Check(Length(client) == report.second, "length");
    Check(report.first + report.second <= kArenaBytes, "outside of the arena");
    Check(memcmp(arena_ + report.first, client.sent.data() + kFrameHeader,
                 report.second) == 0,
          "other bytes than were sent");
    client.sent.erase(0, size);
  }

  void CompareEnd(const Client& client, LineEvent kind, uint32_t length) {
    switch (kind) {
      case LineEvent::kEnded: return Check(client.fd < 0, "gone, but is there");
      case LineEvent::kBadLength:
        return Check(Length(client) == length && (length < 1 || length > kMaxFrame),
                     "the length is good");
      default: return Check(client.sent.size() > kFrameHeader + Length(client),
                     "it was its turn");
    }
  }

  static size_t Length(const Client& client) {
    Check(client.sent.size() >= kFrameHeader, "no length was sent");
    return static_cast<size_t>(static_cast<uint8_t>(client.sent[0])) << 8 |
           static_cast<uint8_t>(client.sent[1]);
  }

  uint8_t arena_[kArenaBytes] = {};
  LineReport reports_[kReports] = {};
  sockaddr_un address_{};
  const int epoll_;
  Lines lines_;
  Client clients_[kClients];
  std::deque<Client*> waiting_;
  std::map<uint64_t, Client*> names_;
  std::string kept_;
  size_t next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const int before = Descriptors();
  {
    auto world = std::make_unique<World>();
    Input input(bytes, size);
    while (input.More()) world->Act(input);
    world->Collect();
  }
  Check(Descriptors() == before, "a descriptor is left behind");
  return 0;
}
