#include "core/prompt/fences.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

struct Fence {
  char mark = 0;
  std::size_t length = 0;
  std::string_view info;
};

/// length 0 when the line is no fence.
Fence fenceOf(std::string_view line) {
  const std::string_view body = text::trimmed(line);
  Fence fence;
  if (body.empty() || (body[0] != '`' && body[0] != '~')) return fence;
  std::size_t n = 0;
  while (n < body.size() && body[n] == body[0]) ++n;
  if (n < 3 || (body[0] == '`' && body.find('`', n) != std::string_view::npos)) return fence;
  return {body[0], n, text::trimmed(body.substr(n))};
}

}  // namespace

std::vector<FencedBlock> fencedBlocks(std::string_view s) {
  std::vector<FencedBlock> out;
  Fence open;
  std::size_t nested = 0;
  std::size_t bodyBegin = 0;
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t newline = s.find('\n', at);
    const std::size_t next = newline == std::string_view::npos ? s.size() : newline + 1;
    const Fence fence = fenceOf(s.substr(at, next - at));
    if (fence.length != 0 && open.length == 0) {
      open = fence;
      nested = 0;
      bodyBegin = next;
      out.push_back({fence.info.substr(0, fence.info.find(' ')), {}, at, s.size()});
    } else if (fence.length >= open.length && open.length != 0 && fence.mark == open.mark) {
      if (!fence.info.empty()) {
        ++nested;
      } else if (nested > 0) {
        --nested;
      } else {
        out.back().body = s.substr(bodyBegin, at - bodyBegin);
        out.back().end = next;
        open = {};
      }
    }
    at = next;
  }
  if (open.length != 0) out.back().body = s.substr(bodyBegin);
  return out;
}

std::string outsideFences(std::string_view text, const std::vector<FencedBlock>& blocks) {
  std::string out;
  std::size_t from = 0;
  for (const FencedBlock& block : blocks) {
    out.append(text, from, block.begin - from);
    from = block.end;
  }
  out.append(text, from, text.size() - from);
  return out;
}

}  // namespace aetherflow
