#pragma once
// Small words whose exchange changes what is asked, though both sides look alike: how many of them, and the particles of verbs.

#include <string>

#include "core/cache/pairing.hpp"

namespace aetherflow {

/// "all" for "one", "every" for "any", "both" for "either", "first" for "one": each side says a quantity that the other does not.
bool quantityChanged(const Pairing& pair, std::string& detail);

/// "the last orders" for "the orders", "a file" for "all files", "more than 5" for "5": said on one side only, before the same word.
bool quantityAdded(const Pairing& pair, std::string& detail);

/// "… and its subdirectories", "… and print line numbers": one side asks for more.
bool requestAdded(const Pairing& pair, std::string& detail);

/// "close the tickets" for "show the tickets": an act where the other side only asks to see.
bool actAsked(const Pairing& pair, std::string& detail);

/// "set up" for "set off", "back up" for "back out": another particle behind the same verb.
bool particleChanged(const Pairing& pair, std::string& detail);

}  // namespace aetherflow
