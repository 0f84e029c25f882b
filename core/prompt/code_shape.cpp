#include "core/prompt/code_shape.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

/// Without list markers and quotation signs, so that bulleted prose is prose.
std::string_view withoutMarker(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() &&
         (text::isDigit(line[i]) || std::string_view("-*>.)# ").find(line[i]) != std::string_view::npos))
    ++i;
  return line.substr(i);
}

/// Five words or more, nearly all letters, and the end of a sentence.
bool isSentence(std::string_view line) {
  if (text::startsWith(line, "# ") || text::startsWith(line, "//") || text::startsWith(line, "* ") ||
      text::startsWith(line, "--")) {
    return false;  // as likely a comment as a heading or an item
  }
  line = withoutMarker(line);
  if (line.empty() || (!text::isAlpha(line[0]) && !text::isHigh(line[0]))) return false;
  const char last = line.back();
  if (last != '.' && last != '!' && last != '?' && last != ':') return false;
  std::size_t words = 0;
  std::size_t letters = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (text::isAlpha(line[i]) || text::isHigh(line[i]) || line[i] == ' ' || line[i] == ',' || line[i] == '\'')
      ++letters;
    if (line[i] != ' ' && (i == 0 || line[i - 1] == ' ')) ++words;
  }
  return words >= 5 && letters * 10 >= line.size() * 9;
}

bool isCode(std::string_view line) {
  const char last = line.back();
  if (last == ';' || last == '{' || last == '}' || last == ')' || last == ']' || last == '>') return true;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '=' || c == '{' || c == '}' || c == '<' || c == '$' || c == '@') return true;
    if (i > 0 && c == '(' && text::isAlnum(line[i - 1])) return true;
    if (i > 0 && c == '>' && line[i - 1] == '-') return true;
  }
  constexpr text::List kStarts =
      "import \nfrom \ndef \nclass \nreturn\n#include\n#!\n//\n/*\npackage \nuse \nfn \nfunc \nend\nelse\nSELECT "
      "\nINSERT \nCREATE "
      "\nFROM \nRUN \n";
  return text::listedPrefix(line, kStarts, false) != 0;
}

}  // namespace

Shape shapeOf(std::string_view s) {
  Shape shape;
  bool first = true;
  for (std::size_t at = 0; at < s.size();) {
    std::size_t end = s.find('\n', at);
    if (end == std::string_view::npos) end = s.size();
    const std::string_view line = text::trimmed(s.substr(at, end - at));
    at = end + 1;
    if (line.empty()) continue;
    const bool sentence = isSentence(line);
    if (sentence) {
      ++shape.prose;
      shape.opensWithProse = shape.opensWithProse || first;
    } else if (isCode(line)) {
      ++shape.code;
    }
    first = false;
  }
  return shape;
}

bool isProse(std::string_view text) {
  const Shape shape = shapeOf(text);
  if (shape.prose == 0) return false;
  // Heavily documented code has many sentences too, but it does not begin with one.
  return shape.code == 0 || (shape.opensWithProse && shape.code * 8 < shape.prose);
}

std::size_t leadInLength(std::string_view s) {
  const std::size_t newline = s.find('\n');
  if (newline == std::string_view::npos) return 0;
  const std::string_view line = text::trimmed(s.substr(0, newline));
  // A colon and a blank line: "Sure! Here is the code:". Python's "class A:" has too few words.
  if (line.empty() || line.back() != ':' || !isSentence(line)) return 0;
  std::size_t next = newline + 1;
  while (next < s.size() && (s[next] == '\n' || s[next] == '\r')) ++next;
  if (next == newline + 1) return 0;
  return shapeOf(s.substr(next)).code != 0 ? next : 0;
}

}  // namespace aetherflow
