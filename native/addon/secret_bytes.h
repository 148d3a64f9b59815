#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

/** Bytes that are wiped before their memory goes back. */
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(size_t capacity)
      : bytes_(new uint8_t[capacity]), capacity_(capacity) {}
  SecretBytes(const uint8_t* bytes, size_t size) : SecretBytes(size) {
    if (size > 0) memcpy(bytes_.get(), bytes, size);
    size_ = size;
  }
  ~SecretBytes() { Wipe(); }

  SecretBytes(SecretBytes&& other) noexcept { Swap(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    Swap(other);
    return *this;
  }

  uint8_t* data() { return bytes_.get(); }
  const uint8_t* data() const { return bytes_.get(); }
  size_t capacity() const { return capacity_; }
  size_t size() const { return size_; }
  /** Sets the number of used bytes: at most capacity(). */
  void Resize(size_t size) { size_ = size; }
  void Wipe() {
    if (capacity_ > 0) explicit_bzero(bytes_.get(), capacity_);
    size_ = 0;
  }

  bool operator==(const SecretBytes& other) const {
    return size_ == other.size_ &&
           (size_ == 0 || memcmp(data(), other.data(), size_) == 0);
  }

 private:
  void Swap(SecretBytes& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<uint8_t[]> bytes_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};
