#pragma once
// A value or an Error: C++20 has no std::expected, and the core throws nothing.

#include <utility>
#include <variant>

#include "core/base/error.hpp"

namespace aetherflow {

/// Holds a T or the Error that prevented it. Reading the wrong side is a programming fault (asserts in debug builds).
template <class T>
class Expected {
 public:
  Expected(T value) : state_(std::move(value)) {}
  Expected(Error error) : state_(std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return *std::get_if<0>(&state_); }
  const T& operator*() const { return *std::get_if<0>(&state_); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace aetherflow
