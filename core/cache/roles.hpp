#pragma once
// Who does what to whom: the same words in another order.

#include <string>

#include "core/cache/pairing.hpp"

namespace aetherflow {

/// True when the two say the same words of exchanged parties: "A trusts B" and "B trusts A", from and to exchanged, one
/// side passive with its arguments in the same order, "he … her" and "she … him". Not where the relation is symmetric
/// (and, between, same, compare). `detail` names the two.
bool rolesExchanged(const Pairing& pair, std::string& detail);

/// Says "between", "compare" or the like: what is related may stand in any order.
bool relatesAlike(const ReadSentence& sentence);

/// Share in 1/255 of the neighbouring mates that stand in the other order on the other side.
std::size_t crossedShare(const Pairing& pair);

}  // namespace aetherflow
