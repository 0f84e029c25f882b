# em++ is a Python program around Clang: starting it takes as long as Clang takes for a source of ours. It tells what it would add
# (--cflags), so sources are compiled by its Clang directly, to the same bytes; it still links. Only where that is proved: later
# releases add flags by what else is on the command line.
if(EMSCRIPTEN_VERSION VERSION_LESS 3.1.25)
  execute_process(
    COMMAND "${CMAKE_CXX_COMPILER}" --cflags
    OUTPUT_VARIABLE _cflags
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE _failed
    ERROR_QUIET)
  find_program(_clang NAMES clang++-14 NO_CACHE)
  # Another LLVM than Emscripten's own would write bitcode that its linker cannot read.
  set(_config "")
  if(EXISTS "/usr/share/emscripten/.emscripten" AND NOT DEFINED ENV{EM_CONFIG})
    file(READ "/usr/share/emscripten/.emscripten" _config LIMIT 10000)
  endif()
  if(_failed EQUAL 0 AND _clang AND _config MATCHES "LLVM_ROOT = '/usr/bin'" AND _config MATCHES "CLANG_ADD_VERSION = '14'")
    set(CMAKE_CXX_COMPILE_OBJECT "${_clang} ${_cflags} <DEFINES> <INCLUDES> <FLAGS> -o <OBJECT> -c <SOURCE>")
  endif()
endif()
