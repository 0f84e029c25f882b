// The built-in table for programs that are not handed one. A file of its own: where another part of a program defines
// defaultTableJson(), the linker leaves this one out. The WebAssembly module does, as its host has the text already.

#include "core/route/defaults.generated.hpp"
#include "core/route/table.hpp"

namespace aetherflow {

std::string_view defaultTableJson() {
  return kDefaultTableJson;
}

}  // namespace aetherflow
