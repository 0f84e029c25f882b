// The little of CommonMark's inlines that the structure needs: definitions of links, and headings as plain text.
#include "core/index/markdown.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::string_view kPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

bool isPunctuation(char c) {
  return c != '\0' && kPunctuation.find(c) != kNone;
}

std::size_t blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && text::isBlank(text[at])) ++at;
  return at;
}

/// Blanks with at most one line end.
std::size_t spaces(std::string_view text, std::size_t at) {
  at = blanks(text, at);
  if (at < text.size() && text[at] == '\n') at = blanks(text, at + 1);
  return at;
}

/// After the `]` of a label that begins at `at`; npos when there is none.
std::size_t labelEnd(std::string_view text, std::size_t at) {
  bool any = false;
  for (std::size_t i = at + 1; i < text.size() && i < at + 1001; ++i) {
    if (text[i] == ']') return any ? i + 1 : kNone;
    if (text[i] == '[') return kNone;
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    any |= !text::isSpace(text[i]);
  }
  return kNone;
}

std::size_t destinationEnd(std::string_view text, std::size_t at) {
  if (at >= text.size()) return kNone;
  if (text[at] == '<') {
    for (std::size_t i = at + 1; i < text.size() && text[i] != '\n' && text[i] != '<'; ++i) {
      if (text[i] == '>') return i + 1;
      if (text[i] == '\\') ++i;
    }
    return kNone;
  }
  std::size_t i = at;
  int depth = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) break;
    if (c == '\\' && i + 1 < text.size() && isPunctuation(text[i + 1])) {
      ++i;
    } else if (c == '(') {
      if (++depth > 32) return kNone;
    } else if (c == ')' && --depth < 0) {
      break;
    }
  }
  return i == at || depth > 0 ? kNone : i;
}

/// After a title that begins at `at`; npos when there is none.
std::size_t titleEnd(std::string_view text, std::size_t at) {
  if (at >= text.size()) return kNone;
  const char open = text[at];
  if (open != '"' && open != '\'' && open != '(') return kNone;
  const char close = open == '(' ? ')' : open;
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == close) return i + 1;
    if (text[i] == '\\') ++i;
    if (open == '(' && i < text.size() && text[i] == '(') return kNone;
  }
  return kNone;
}

/// After the line end of one definition at `at`; npos when there is none.
std::size_t definitionEnd(std::string_view text, std::size_t at) {
  const std::size_t label = at < text.size() && text[at] == '[' ? labelEnd(text, at) : kNone;
  if (label == kNone || label >= text.size() || text[label] != ':') return kNone;
  const std::size_t destination = destinationEnd(text, spaces(text, label + 1));
  if (destination == kNone) return kNone;
  const std::size_t title = spaces(text, destination);
  if (title > destination) {
    const std::size_t end = titleEnd(text, title);
    const std::size_t line = end == kNone ? kNone : blanks(text, end);
    if (line != kNone && (line >= text.size() || text[line] == '\n')) return line < text.size() ? line + 1 : line;
  }
  const std::size_t line = blanks(text, destination);
  if (line < text.size() && text[line] != '\n') return kNone;
  return line < text.size() ? line + 1 : line;
}

/// After the address of a link whose text ended at `at` with `]`: `(…)` or `[…]`.
std::size_t addressEnd(std::string_view text, std::size_t at) {
  if (at >= text.size() || (text[at] != '(' && text[at] != '[')) return at;
  const char open = text[at], close = open == '(' ? ')' : ']';
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return at;
}

bool isTag(std::string_view text, std::size_t at, std::size_t end) {
  const std::size_t name = at + (at + 1 < text.size() && text[at + 1] == '/' ? 2 : 1);
  return end != kNone && name < end && (text::isAlpha(text[name]) || text[name] == '!');
}

}  // namespace

std::size_t linkDefinitions(std::string_view paragraph) {
  std::size_t at = 0;
  for (std::size_t end = definitionEnd(paragraph, 0); end != kNone; end = definitionEnd(paragraph, at)) at = end;
  return at;
}

std::string plainTitle(std::string_view heading) {
  // Searches for what closes a mark are as long as the heading: without a bound, quadratic.
  heading = heading.substr(0, 400);
  std::string out;
  bool code = false;
  for (std::size_t at = 0; at < heading.size(); ++at) {
    const char c = heading[at];
    if (c == '`') {
      code = !code;
    } else if (code) {
      out += c;
    } else if (c == '\\' && at + 1 < heading.size() && isPunctuation(heading[at + 1])) {
      out += heading[++at];
    } else if (c == '<' && isTag(heading, at, heading.find('>', at))) {
      at = heading.find('>', at);
    } else if (c == ']' && at + 1 < heading.size() && addressEnd(heading, at + 1) > at + 1) {
      at = addressEnd(heading, at + 1) - 1;
    } else if (c == '!' && at + 1 < heading.size() && heading[at + 1] == '[') {
    } else if (c == '*' || c == '[' || c == ']') {
    } else if (c == '_' && (out.empty() || !text::isWordByte(out.back()) || at + 1 >= heading.size() ||
                            !text::isWordByte(heading[at + 1]))) {
    } else {
      out += text::isSpace(c) || static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  // Blanks as one, so that a title is one line whatever it was.
  std::string title;
  for (const char c : text::trimmed(out)) {
    if (c != ' ' || title.empty() || title.back() != ' ') title += c;
  }
  return title;
}

}  // namespace aetherflow
