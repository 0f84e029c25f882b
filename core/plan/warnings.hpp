#pragma once
// What is odd about a plan and yet does not stop it, in bounded number.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text_index.hpp"
#include "core/plan/nearest.hpp"

namespace aetherflow {

/// Adds to a list that someone else owns. After kMost a last entry with an empty place says that more were left out.
class Warnings {
 public:
  static constexpr std::size_t kMost = 100;

  explicit Warnings(std::vector<Error>& list) : list_(list) {}

  void add(ErrorCode code, std::string where, std::string detail);
  /// Once for each name, however many objects carry it.
  void unknownMember(std::string_view owner, std::string_view name, std::string where, const Nearest& meant);

 private:
  std::vector<Error>& list_;
  TextIndex names_;
};

}  // namespace aetherflow
