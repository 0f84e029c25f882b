#include "core/plan/templates.hpp"

#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

constexpr std::string_view kOpen = "{{", kSteps = "steps.", kOutput = ".output", kClose = "}}";

}  // namespace

void TemplatePieces::find() {
  for (std::size_t open = rest_.find(kOpen); open != std::string_view::npos;) {
    // Of "{{{" the last two open: the text inside never begins with a brace.
    while (open + 2 < rest_.size() && rest_[open + 2] == '{') ++open;
    const std::size_t from = open + kOpen.size();
    std::size_t end = from;
    while (end + 1 < rest_.size() && !(rest_[end] == rest_[end + 1] && (rest_[end] == '{' || rest_[end] == '}'))) ++end;
    if (end + 1 >= rest_.size()) break;
    if (rest_[end] == '{') {
      open = end;
      continue;
    }
    const std::string_view inside = rest_.substr(from, end - from);
    if (inside.size() > kSteps.size() + kOutput.size() && inside.substr(0, kSteps.size()) == kSteps &&
        inside.substr(inside.size() - kOutput.size()) == kOutput) {
      id_ = inside.substr(kSteps.size(), inside.size() - kSteps.size() - kOutput.size());
      if (isId(id_, id_.size())) {
        at_ = open;
        size_ = end + kClose.size() - open;
        return;
      }
    }
    open = rest_.find(kOpen, end + kClose.size());
  }
  at_ = rest_.size();
}

bool TemplatePieces::next(TemplatePiece& piece) {
  if (rest_.empty()) return false;
  if (at_ > 0) {
    piece = {TemplatePiece::Kind::Text, rest_.substr(0, at_)};
    rest_.remove_prefix(at_);
    at_ = 0;
    return true;
  }
  piece = {TemplatePiece::Kind::Output, id_};
  rest_.remove_prefix(size_);
  find();
  return true;
}

}  // namespace aetherflow
