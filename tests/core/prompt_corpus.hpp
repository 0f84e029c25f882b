#pragma once
// Twelve step descriptions as chat models write them when nobody asks them to be brief. Written for these tests.

#include <string_view>

namespace aetherflow {

inline constexpr std::string_view kVerbosePrompts[] = {
    R"~(Hello! I hope you are doing well.

I would like you to write a comprehensive REST API client in TypeScript for our inventory service. Please make sure that every public function has a doc comment. Could you please also add retries with exponential backoff for status 429 and 503?

---

## **Requirements**

- The client should use **fetch**, please, and no other HTTP library.
- Every public function must have a doc comment that explains its parameters.
- Do **not** log request bodies.
- It is important to note that the base URL comes from `INVENTORY_URL`.

---

## **Reminder**

As a reminder, please make sure that every public function has a doc comment.
Do **not** log request bodies.

Thank you very much in advance for your help!
)~",
    R"~(You are an expert Python developer with deep knowledge of data pipelines.

Your task is to refactor the module `pipeline/load.py` so that it is easier to test. I want you to keep the public interface exactly as it is, because other teams depend on it.

**Context**

The module reads CSV files of up to 2 GB, validates each row against a schema, and writes the valid rows into PostgreSQL. It was written three years ago by several people in a hurry.

**What to do**

1. Please split the function `load_all()` into smaller functions.
2. Please replace the global connection with a parameter.
3. Please keep the behaviour for empty files.

**Important**

The module reads CSV files of up to 2 GB, validates each row against a schema, and writes the valid rows into PostgreSQL. It was written three years ago by several people in a hurry.

Please do not change the names of the columns.


Thanks in advance!
)~",
    R"~(Could you please analyse the attached log file and find the reason for the outage on 2024-03-14?

<!-- inserted by the ticket template -->

Please note that the clocks of the two machines differ by about 4 seconds. As mentioned above, the outage began on 2024-03-14. I would appreciate it if you could list the events in order, with the time stamp and the machine for each.

Example: 12:00:03 web-1 connection refused

Example:  12:00:03 web-1 connection refused.

It would be great if you could also suggest two ways to prevent this. Please never include customer names in the answer. I appreciate your careful work on this.
)~",
    R"~(Bonjour,

Je voudrais que tu rédiges la documentation de la bibliothèque `aether-cache`. Peux-tu expliquer, s'il te plaît, comment installer le paquet, comment ouvrir un cache, et comment le fermer ?

***

**Consignes**

- Il est important de noter que le lecteur ne connaît pas C++.
- Chaque fonction publique doit avoir un exemple court et complet.
- N'utilise jamais de code qui dépend du réseau.
- Veuillez garder les noms des fonctions en anglais.

***

**Rappel**

Chaque fonction publique doit avoir un exemple court et complet.
N'utilise jamais de code qui dépend du réseau.

Merci beaucoup d'avance pour ton aide !
)~",
    R"~(Hi there, I am working on a small game and I need some ideas.

Please brainstorm ten mechanics for a puzzle game about light and mirrors. For each idea, please give a name, one sentence of description, and the main risk. Can you please also mark the three that are cheapest to prototype?

Some background: the player moves on a grid of 8x8 tiles, each level must be solvable in under 3 minutes, and the game has to work with one hand on a phone. The art style is flat, with few colours.

For each idea, please give a name, one sentence of description, and the main risk.

Thank you so much!
)~",
    R"~(I need you to write unit tests for the following class. Please use pytest, and please cover the edge cases: empty input, a single element, duplicates, and very large lists.

```python
class Median:
    def __init__(self):
        self.items = []   

    def add(self, x):
        """Please call this with numbers only."""
        self.items.append(x)


    def value(self):
        return sorted(self.items)[len(self.items) // 2]
```

Please make sure that each test checks one thing only. Each test should have a telling name. Please do not mock anything. Please make sure that each test checks one thing only.

Thank you for your help and your patience.
)~",
    R"~(You will be acting as a senior database engineer. I would like you to review the schema below and to propose indexes.

===

The table `orders` has about 40,000,000 rows and the table `customers` about 200,000. Most queries filter by `customer_id` and by a range of `created_at`. Writes arrive at about 300 per second during the day.

===

Could you explain for each index which query it serves? Could you also estimate its size? I would be grateful if you could keep the list short. It should be noted that we cannot take the database offline. Please keep in mind that we cannot take the database offline.

I look forward to your response.
Best regards
)~",
    R"~(Pourriez-vous analyser les trois contrats ci-joints et comparer leurs clauses de résiliation, s'il vous plaît ?

Je souhaiterais que vous présentiez le résultat sous la forme d'un tableau avec une ligne par contrat. Merci de citer le numéro de chaque article, par exemple « article 12.3 ». Il convient de noter que le troisième contrat est en anglais.

Le tableau doit tenir sur une page, et chaque cellule doit contenir une phrase courte et complète, sans jargon juridique inutile pour le lecteur.

Le tableau doit tenir sur une page, et chaque cellule doit contenir une phrase courte et complète, sans jargon juridique inutile pour le lecteur.

Ne donnez aucun conseil juridique. Je vous remercie par avance pour votre aide.

Cordialement
)~",
    R"~(Create a prototype of a command line tool that renames photos by the date on which they were taken.

## Behaviour

- The tool takes a folder as its only argument, for example `photos rename ~/Pictures`.
- The tool prints what it would do, and does nothing without the flag `--apply`.
- The new name has the form `2024-03-14_12-00-03.jpg`.

## Quality

- Please keep everything in one file.
- Please handle errors gracefully, and please print a helpful message for each of them.
- Please make sure the code is readable.

## Summary

- The tool prints what it would do, and does nothing without the flag `--apply`.
- Please keep everything in one file.
- Please handle errors gracefully, and please print a helpful message for each of them.
)~",
    R"~(I was wondering if you could explain how our retry policy interacts with the circuit breaker. Please explain it for an audience of new engineers who have never seen the code base.

As you know, the policy lives in src/net/retry.ts and the breaker in src/net/breaker.ts. I would really appreciate it if you could include a diagram in plain ASCII, please.

Remember that the audience has never seen the code base. Please explain it for an audience of new engineers who have never seen the code base.

Feel free to ask if you have any questions. Thank you in advance!
)~",
    R"~(Your job is to generate the configuration for a CI pipeline.

| stage | command | minutes |
| ----- | ------- | ------- |
| build | `npm run build` | 4 |
| test  | `npm test` | 9 |

Please use exactly the stages of the table. The pipeline must stop at the first failure. Kindly add a cache for `node_modules`, and kindly set the timeout of each stage to twice its minutes.


**Please note:** secrets come from the environment and are never written into the file.

The pipeline must stop at the first failure.

Many thanks!
)~",
    R"~(Est-ce que tu pourrais écrire une fonction en Rust qui lit un fichier de journal et compte les erreurs par heure, stp ?

J'aimerais que tu expliques ton choix de structure de données en deux phrases. La fonction doit lire le fichier ligne par ligne, car il peut dépasser 10 Go. Elle ne doit pas charger le fichier entier en mémoire.

Exemple : la ligne "2024-03-14T12:00:03 ERROR disk full" compte pour 12 h.

Exemple : la ligne "2024-03-14T12:00:03 ERROR disk full" compte pour 12 h.

Pour rappel, la fonction doit lire le fichier ligne par ligne, car il peut dépasser 10 Go.

Merci d'avance !
)~",
};

}  // namespace aetherflow
