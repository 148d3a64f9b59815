// Throws inputs at the addon's primitives, which know nothing of Node:
// one-time passwords of a window, and reading a small file. Where a rule is
// broken, it aborts.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "hotp_window.h"
#include "small_file.h"

namespace {

void Rule(bool holds, const char* rule) {
  if (holds) return;
  fprintf(stderr, "BROKEN: %s\n", rule);
  abort();
}

/** Takes bytes from an input; zeros when there are none left. */
class Input {
 public:
  Input(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}
  uint8_t Byte() { return at_ < size_ ? bytes_[at_++] : 0; }
  const uint8_t* rest() const { return bytes_ + at_; }
  size_t left() const { return size_ - at_; }

 private:
  const uint8_t* bytes_;
  size_t size_, at_ = 0;
};

/** Exactly as large as is needed, so that the sanitizer sees one byte more. */
std::string ValuesOf(const HotpWindow& window) {
  const size_t size = window.count * window.digits;
  const std::unique_ptr<uint8_t[]> values(new uint8_t[size]);
  HotpValues(window, values.get());
  return std::string(reinterpret_cast<char*>(values.get()), size);
}

/**
 * A window has the same values as single computations, and shorter codes are
 * their tails.
 */
void FuzzWindow(Input input) {
  HotpWindow window{};
  window.hash = static_cast<HotpHash>(input.Byte() % 3);
  window.digits = 1 + input.Byte() % 9;
  window.count = 1 + input.Byte() % 16;
  for (int i = 0; i < 8; i++) {
    window.first = static_cast<int64_t>(
        static_cast<uint64_t>(window.first) << 8 | input.Byte());
  }
  // The range that src/host/hotp-window.ts allows: safe integers.
  window.first %= int64_t{1} << 53;
  const std::unique_ptr<uint8_t[]> key(new uint8_t[input.left()]);
  if (input.left() > 0) memcpy(key.get(), input.rest(), input.left());
  window.key = key.get();
  window.key_size = input.left();

  const std::string values = ValuesOf(window);
  Rule(memcmp(key.get(), input.rest(), input.left()) == 0, "the key changed");
  HotpWindow one = window;
  one.count = 1;
  for (size_t i = 0; i < window.count; i++) {
    one.first = window.first + static_cast<int64_t>(i);
    const std::string value = values.substr(i * window.digits, window.digits);
    Rule(ValuesOf(one) == value, "a value alone differs from that in a window");
    one.digits = 1 + i % window.digits;
    Rule(ValuesOf(one) == value.substr(window.digits - one.digits),
         "a shorter value is not the tail of the longer one");
    one.digits = window.digits;
    Rule(value.find_first_not_of("0123456789") == std::string::npos,
         "a value is not of digits");
  }
}

/**
 * If the file fits, the read bytes equal the written ones, and its state is
 * recognised again.
 */
void FuzzFile(Input input) {
  static const std::string path =
      std::string(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") +
      "/primitives-" + std::to_string(getpid());
  const size_t room = input.Byte() * 2u;
  const uint8_t then = input.Byte();
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  Rule(fd > 2 && write(fd, input.rest(), input.left()) ==
                     static_cast<ssize_t>(input.left()),
       "no file could be made");

  const std::unique_ptr<uint8_t[]> into(new uint8_t[room]);
  size_t size = 0;
  FileIdentity identity{};
  const char* step = nullptr;
  const SmallRead read =
      ReadSmall(path.c_str(), into.get(), room, &size, &identity, &step);
  Rule(read == (input.left() <= room ? SmallRead::kRead : SmallRead::kUnfit),
       "it is read if it fits, and only then");
  if (read == SmallRead::kRead) {
    Rule(size == input.left() &&
             (size == 0 || memcmp(into.get(), input.rest(), size) == 0),
         "other bytes were read than were written");
    Rule(IsStill(path.c_str(), identity), "it is not known again");
    switch (then % 4) {
      case 0:
        Rule(write(fd, "x", 1) == 1, "nothing could be written");
        break;
      case 1:
        unlink(path.c_str());
        break;
      case 2:
        Rule(rename(path.c_str(), (path + "-old").c_str()) == 0 &&
                 symlink((path + "-old").c_str(), path.c_str()) == 0,
             "no link could be made");
        Rule(ReadSmall(path.c_str(), into.get(), room, &size, &identity,
                       &step) == SmallRead::kFailed &&
                 errno == ELOOP,
             "a link was followed");
        break;
      case 3:
        unlink(path.c_str());
        Rule(mkfifo(path.c_str(), 0600) == 0, "no pipe could be made");
        Rule(ReadSmall(path.c_str(), into.get(), room, &size, &identity,
                       &step) == SmallRead::kUnfit,
             "a pipe was read");
        break;
    }
    Rule(!IsStill(path.c_str(), identity), "another is taken for it");
  }
  close(fd);
  const int next = dup(0);
  Rule(next == fd, "a descriptor was left open");
  close(next);
  unlink(path.c_str());
  unlink((path + "-old").c_str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Input input(bytes, size);
  if (input.Byte() % 2 == 0) {
    FuzzWindow(input);
  } else {
    FuzzFile(input);
  }
  return 0;
}
