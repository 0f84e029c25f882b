#include "core/plan/templates.hpp"

#include <algorithm>

#include "core/plan/nearest.hpp"
#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

using Kind = TemplatePiece::Kind;
constexpr std::size_t kNowhere = std::string_view::npos;
constexpr std::string_view kOpen = "{{", kSteps = "steps.", kOutput = ".output", kClose = "}}", kItem = "item";
/// No placeholder is longer.
constexpr std::size_t kMostBytes = 300;

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80u) != 0;
}
bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && isBlank(s.front())) s.remove_prefix(1);
  while (!s.empty() && isBlank(s.back())) s.remove_suffix(1);
  return s;
}

bool beginsWith(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

/// Bytes of "steps" or "step", in any case, when a whole word of it begins `s`; else 0.
std::size_t stepsWord(std::string_view s) {
  static constexpr std::string_view kWord = "steps";
  std::size_t at = 0;
  while (at < kWord.size() && at < s.size() && (s[at] | 0x20) == kWord[at]) ++at;
  if (at < 4 || (at < s.size() && (isLetter(s[at]) || isDigit(s[at]) || s[at] == '-'))) return 0;
  return at;
}

/// The id in steps.ID.output, or empty.
std::string_view referenceOf(std::string_view inside) {
  if (inside.size() <= kSteps.size() + kOutput.size() || !beginsWith(inside, kSteps)) return {};
  const std::size_t length = inside.size() - kSteps.size() - kOutput.size();
  if (inside.substr(kSteps.size() + length) != kOutput) return {};
  const std::string_view id = inside.substr(kSteps.size(), length);
  return isId(id, id.size()) ? id : std::string_view();
}

/// A name, a path or either with a filter: what languages of templates would fill.
bool isPlaceholder(std::string_view inside) {
  if (inside.empty() || inside.size() > kMostBytes || !isLetter(inside.front())) return false;
  return std::all_of(inside.begin(), inside.end(), [](char c) {
    return isLetter(c) || isDigit(c) || std::string_view(" .-|[]'\"").find(c) != kNowhere;
  });
}

}  // namespace

void TemplatePieces::found(Kind kind, std::string_view text, std::size_t at, std::size_t end) {
  upcoming_ = {kind, text, at, end - at, fence_ != 0};
}

/// From `from` to the next piece that is no text.
void TemplatePieces::find(std::size_t from) {
  for (std::size_t at = from; at < all_.size();) {
    if (all_[at] == '`') {
      std::size_t end = at;
      while (end < all_.size() && all_[end] == '`') ++end;
      if (fence_ == 0) {
        fence_ = end - at;
      } else if (fence_ == end - at) {
        fence_ = 0;
      }
      at = end;
    } else if (all_[at] == '{') {
      at = braces(at);
      if (at == kNowhere) return;
    } else {
      // A loop: find_first_of calls memchr for every byte.
      while (at < all_.size() && all_[at] != '`' && all_[at] != '{') ++at;
    }
  }
  found(Kind::Text, {}, all_.size(), all_.size());
}

/// Looks at the brace at `open`. Where to go on, or npos when a piece was found.
std::size_t TemplatePieces::braces(std::size_t open) {
  // Of "{{{" the last two open: the text inside never begins with a brace.
  while (open + 2 < all_.size() && all_[open + 1] == '{' && all_[open + 2] == '{') ++open;
  const bool one = open + 1 >= all_.size() || all_[open + 1] != '{';
  const std::size_t from = open + (one ? 1 : 2);
  if (!one) {
    if (const std::size_t end = literal(open); end != kNowhere) {
      found(Kind::Literal, all_.substr(all_.find_first_of("{}", from), 2), open, end);
      return kNowhere;
    }
  }
  // One brace ends at the next, two at the next two: a single one between them may belong to an id.
  std::size_t end = all_.find_first_of("{}", from);
  while (!one && end < all_.size() && (end + 1 >= all_.size() || all_[end] != all_[end + 1])) {
    end = all_.find_first_of("{}", end + 1);
  }
  end = std::min(end, all_.size());
  if (!one && end + 1 >= all_.size()) end = all_.size();
  const bool closed = end < all_.size() && all_[end] == '}';
  const std::string_view inside = trimmed(all_.substr(from, end - from));
  const std::size_t after = closed ? end + (one ? 1 : 2) : end;
  const std::string_view id = closed ? referenceOf(inside) : std::string_view();
  if (one) {
    if (id.empty() || fence_ != 0) return from;
    found(Kind::Near, all_.substr(open, after - open), open, after);
    return kNowhere;
  }
  // A workflow of GitHub shown as code has steps of its own.
  const bool foreign = fence_ != 0 && open > 0 && all_[open - 1] == '$';
  if (!id.empty()) {
    found(Kind::Output, id, open, after);
  } else if (stepsWord(inside) != 0 && !foreign) {
    const std::string_view raw = all_.substr(from, end - from);
    const std::size_t stop = closed ? after : from + std::min(raw.size(), raw.find_first_of(" \t\r\n"));
    found(Kind::Near, all_.substr(open, stop - open), open, stop);
  } else if (closed && isPlaceholder(inside) && (inside == kItem || beginsWith(inside, "item."))) {
    found(Kind::Item, all_.substr(open, after - open), open, after);
  } else if (closed && fence_ == 0 && isPlaceholder(inside)) {
    found(Kind::Unknown, all_.substr(open, after - open), open, after);
  } else {
    return from;
  }
  return kNowhere;
}

/// The end of {{'{{'}} or {{"}}"}} at `open`, or npos.
std::size_t TemplatePieces::literal(std::size_t open) {
  const auto skip = [this](std::size_t at) {
    while (at < all_.size() && (all_[at] == ' ' || all_[at] == '\t')) ++at;
    return at;
  };
  std::size_t at = skip(open + kOpen.size());
  if (at + 4 > all_.size() || (all_[at] != '\'' && all_[at] != '"') || all_[at + 3] != all_[at]) return kNowhere;
  const std::string_view braces = all_.substr(at + 1, 2);
  if (braces != kOpen && braces != kClose) return kNowhere;
  at = skip(at + 4);
  return all_.substr(at, 2) == kClose ? at + 2 : kNowhere;
}

bool TemplatePieces::next(TemplatePiece& piece) {
  if (done_ == all_.size()) return false;
  if (done_ < upcoming_.at) {
    piece = {Kind::Text, all_.substr(done_, upcoming_.at - done_), done_, upcoming_.at - done_};
    done_ = upcoming_.at;
    return true;
  }
  piece = upcoming_;
  done_ += piece.bytes;
  find(done_);
  return true;
}

std::string_view itemName(std::string_view text) {
  return trimmed(text.substr(kOpen.size(), text.size() - 2 * kOpen.size()));
}

std::string meantReference(std::string_view text, const Plan& plan) {
  static constexpr std::string_view kAround = " \t\r\n{}[]()'\"`.";
  std::size_t from = text.find_first_not_of(kAround);
  if (from == kNowhere) return {};
  if (const std::size_t word = stepsWord(text.substr(from)); word != 0)
    from = text.find_first_not_of(kAround, from + word);
  if (from == kNowhere) return {};
  std::string_view rest = text.substr(from);
  rest = rest.substr(0, rest.find('}'));
  // Ids may hold dots: the longest that there is.
  for (std::string_view id = rest; !id.empty();) {
    if (plan.byId.find(id) != TextIndex::end()) return std::string("{{steps.").append(id) + ".output}}";
    const std::size_t cut = id.find_last_of(" \t\r\n.[]()'\"|");
    id = cut == kNowhere ? std::string_view() : id.substr(0, cut);
  }
  Nearest nearest(rest.substr(0, rest.find_first_of(" .[]()'\"|")));
  offerIds(nearest, plan);
  return nearest.best().empty() ? std::string() : std::string("{{steps.").append(nearest.best()) + ".output}}";
}

}  // namespace aetherflow
