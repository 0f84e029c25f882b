// What begins and ends an HTML block, CommonMark 4.6.
#include "core/index/markdown.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isAlnum;
using text::isAlpha;
using text::isBlank;
using text::isListed;

bool isNameByte(char c) {
  return isAlnum(c) || c == '-';
}
bool isAttributeStart(char c) {
  return isAlpha(c) || c == '_' || c == ':';
}
bool isAttributeByte(char c) {
  return isAlnum(c) || c == '_' || c == '.' || c == ':' || c == '-';
}

std::size_t blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && isBlank(text[at])) ++at;
  return at;
}

/// After the value of an attribute whose `=` was just read; npos when there is none.
std::size_t attributeValue(std::string_view text, std::size_t at) {
  at = blanks(text, at);
  if (at >= text.size()) return std::string_view::npos;
  if (text[at] == '"' || text[at] == '\'') {
    const std::size_t end = text.find(text[at], at + 1);
    return end == std::string_view::npos ? end : end + 1;
  }
  const std::size_t from = at;
  while (at < text.size() && !isBlank(text[at]) && std::string_view("\"'=<>`").find(text[at]) == std::string_view::npos)
    ++at;
  return at == from ? std::string_view::npos : at;
}

/// Whether the text is one whole tag, and blanks.
bool isTagAlone(std::string_view text) {
  const bool closing = text.size() > 1 && text[1] == '/';
  std::size_t at = closing ? 2 : 1;
  if (at >= text.size() || !isAlpha(text[at])) return false;
  while (at < text.size() && isNameByte(text[at])) ++at;
  for (;;) {
    const std::size_t apart = blanks(text, at);
    if (apart >= text.size()) return false;
    if (!closing && apart > at && isAttributeStart(text[apart])) {
      at = apart;
      while (at < text.size() && isAttributeByte(text[at])) ++at;
      const std::size_t sign = blanks(text, at);
      if (sign < text.size() && text[sign] == '=') at = attributeValue(text, sign + 1);
      if (at == std::string_view::npos) return false;
      continue;
    }
    at = apart;
    break;
  }
  if (!closing && text[at] == '/') ++at;
  return at < text.size() && text[at] == '>' && blanks(text, at + 1) == text.size();
}

constexpr text::List kRaw = "script\npre\ntextarea\nstyle\n";
constexpr text::List kBlocks =
    "address\narticle\naside\nbase\nbasefont\nblockquote\nbody\ncaption\ncenter\ncol\ncolgroup\ndd\ndetails\ndialog\n"
    "dir\ndiv\ndl\ndt\nfieldset\nfigcaption\nfigure\nfooter\nform\nframe\nframeset\nh1\nh2\nh3\nh4\nh5\nh6\nhead\n"
    "header\nhr\nhtml\niframe\nlegend\nli\nlink\nmain\nmenu\nmenuitem\nnav\nnoframes\nol\noptgroup\noption\np\nparam\n"
    "search\nsection\nsummary\ntable\ntbody\ntd\ntfoot\nth\nthead\ntitle\ntr\ntrack\nul\n";

}  // namespace

int htmlBlockStart(std::string_view text) {
  if (text.starts_with("<!--")) return 2;
  if (text.starts_with("<?")) return 3;
  if (text.starts_with("<![CDATA[")) return 5;
  if (text.size() > 2 && text[1] == '!' && isAlpha(text[2])) return 4;
  const std::size_t from = text.size() > 1 && text[1] == '/' ? 2 : 1;
  std::size_t to = from;
  while (to < text.size() && isAlnum(text[to])) ++to;
  const std::string_view name = text.substr(from, to - from);
  const char behind = to < text.size() ? text[to] : ' ';
  const bool ends = isBlank(behind) || behind == '>';
  if (from == 1 && ends && isListed(name, kRaw)) return 1;
  if ((ends || text.substr(to).starts_with("/>")) && isListed(name, kBlocks)) return 6;
  return isTagAlone(text) ? 7 : 0;
}

bool htmlBlockEnds(int kind, std::string_view line) {
  if (kind == 1) {
    for (std::size_t at = line.find("</"); at != std::string_view::npos; at = line.find("</", at + 2)) {
      const std::string_view rest = line.substr(at + 2);
      const std::size_t name = text::listedPrefix(rest, kRaw, true);
      if (name > 0 && name < rest.size() && rest[name] == '>') return true;
    }
    return false;
  }
  static constexpr const char* kEnds[] = {"-->", "?>", ">", "]]>"};
  return line.find(kEnds[kind - 2]) != std::string_view::npos;
}

}  // namespace aetherflow
