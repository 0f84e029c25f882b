#pragma once
// A value or an Error: C++20 has no std::expected, and the core throws nothing.

#include <utility>

#include "core/base/error.hpp"

namespace aetherflow {

/// Holds a T or the Error that prevented it. Reading the wrong side is a programming fault.
template <class T>
class Expected {
 public:
  Expected(T value) : value_(std::move(value)), good_(true) {}
  Expected(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return good_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  const Error& error() const { return error_; }

 private:
  // Both, one of them empty: a std::variant moves and destroys through tables of functions.
  T value_{};
  Error error_;
  bool good_ = false;
};

}  // namespace aetherflow
