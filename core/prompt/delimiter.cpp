#include "core/prompt/delimiter.hpp"

#include <functional>
#include <vector>

#include "core/base/sort.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

/// 0 when the plain tag is safe, else the smallest number whose closing tag does not occur.
std::int64_t freeNumber(std::string_view text, std::string_view tag) {
  bool plainUsed = false;
  std::vector<std::int64_t> used;
  for (std::size_t i = text.find("</"); i != std::string_view::npos; i = text.find("</", i + 2)) {
    std::size_t at = i + 2;
    // "</ file>" and "</FILE>" look like the end to a reader as well.
    while (at < text.size() && text::isSpace(text[at]) && at - i < 16) ++at;
    if (!text::equalNoCase(text.substr(at, tag.size()), tag)) continue;
    plainUsed = true;
    at += tag.size();
    if (at >= text.size() || text[at] != '-') continue;
    std::int64_t number = 0;
    std::size_t digits = 0;
    for (++at; at < text.size() && text::isDigit(text[at]) && digits < 9; ++at, ++digits) {
      number = number * 10 + (text[at] - '0');
      used.push_back(number);  // "</file-12" holds "</file-1" too
    }
  }
  if (!plainUsed) return 0;
  sortItems(used, std::less<>());
  std::int64_t free = 1;
  for (const std::int64_t number : used) free += number == free ? 1 : 0;
  return free;
}

void appendEscaped(std::string& out, std::string_view name) {
  for (const char c : name) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
}

void append(std::string& out, std::string_view tag, std::string_view attribute, std::string_view name,
            std::string_view text, std::string_view lineEnd) {
  std::string label(tag);
  if (const std::int64_t number = freeNumber(text, tag); number != 0) label += '-' + std::to_string(number);
  out += '<';
  out += label;
  if (!attribute.empty()) {
    out += ' ';
    out += attribute;
    out += "=\"";
    appendEscaped(out, name);
    out += '"';
  }
  out += '>';
  out += lineEnd;
  out += text;
  if (!lineEnd.empty() && !text.empty() && text.back() != '\n') out += lineEnd;
  out += "</";
  out += label;
  out += '>';
  out += lineEnd;
}

}  // namespace

void appendTagged(std::string& out, std::string_view tag, std::string_view attribute, std::string_view name,
                  std::string_view text) {
  append(out, tag, attribute, name, text, "\n");
}

void appendTaggedInline(std::string& out, std::string_view tag, std::string_view attribute, std::string_view name,
                        std::string_view text) {
  append(out, tag, attribute, name, text, "");
}

}  // namespace aetherflow
