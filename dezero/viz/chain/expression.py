"""Expression: the gradient of a variable as one formula in the names of the graph's variables, and its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dezero.viz.chain.between import Chain, Use
from dezero.viz.chain.bound import Bound
from dezero.viz.reading import terms
from dezero.viz.reading.symbolic import evaluate
from dezero.viz.reading.terms import Tree
from dezero.viz.reading.writing import text

_DEPTH, _LENGTH = 16, 2000  # of formulas within formulas; what is deeper or longer is a list of definitions


class Numbers(Mapping[str, Any]):
    """What the names of formulas stand for: arrays of variables and gradients, and what helpers are."""

    def __init__(self, chain: Chain, bound: Bound) -> None:
        self.chain, self.bound = chain, bound
        self.variables = {name: v for v, name in bound.names.items()}
        self.gradients = {name: v for v, name in bound.gradients.items()}
        self.known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.known:
            self.known[name] = self._find(name)
        return self.known[name]

    def _find(self, name: str) -> Any:
        arrays, bound = self.chain.values.arrays, self.bound
        if name in self.variables:
            return arrays[self.variables[name]]
        if name in self.gradients:
            return np.asarray(self.chain.seed(self.gradients[name]))
        return bound.value_of(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*self.variables, *self.gradients, *self.bound.helpers))

    def __len__(self) -> int:
        return len(self.variables) + len(self.gradients) + len(self.bound.helpers)


class Expression:
    """The gradient of a chain's target."""

    def __init__(self, chain: Chain, bound: Bound) -> None:
        self.chain, self.bound = chain, bound
        self.numbers = Numbers(chain, bound)
        self.known: dict[Use, Tree] = {}

    def rule(self, use: Use) -> Tree:
        """What comes back from a use, from the gradients of the results by name."""
        if use not in self.known:
            self.known[use] = self.bound.rule(use.function, use.argument, {j: self.bound.gradient(r) for r, j in use.results})
        return self.known[use]

    def _one(self, v: str) -> bool:
        """Is the gradient that an output starts with the number 1?"""
        seed = self.chain.seed(v)
        return seed is None or (np.shape(seed) == () and bool(seed == 1))

    def nested(self) -> Tree | None:
        """One formula; None where it would be too deep or too long to read."""
        chain = self.chain
        if chain.depth > _DEPTH:
            return None
        long: dict[str, int] = {}
        for v in chain.order:
            long[v] = min(3 + sum(self._length(use, long) for use in chain.uses.get(v, ())), 2 * _LENGTH)
        if long[chain.target] > _LENGTH:
            return None
        return self._within(True) or self._within(False)

    def _within(self, ones: bool) -> Tree | None:
        """The formula, with the number 1 where backward starts with that; None where something asks this number for its shape."""
        chain, gradients = self.chain, self.bound.gradients
        found: dict[str, Tree] = {}
        for v in chain.order:
            parts: list[Tree] = []
            if v in chain.starts:
                parts.append(terms.parsed("1") if ones and self._one(v) else self.bound.gradient(v))
            for use in chain.uses.get(v, ()):
                rule = self.rule(use)
                if any(not terms.names_in(found[r]) and not terms.only_arithmetic(rule, gradients[r]) for r, _ in use.results):
                    return None
                parts.append(terms.fill(rule, {gradients[r]: found[r] for r, _ in use.results}))
            found[v] = terms.total(parts)
        return found[chain.target]

    def _length(self, use: Use, long: Mapping[str, int]) -> int:
        code = text(self.rule(use))
        return len(code) + sum(long[r] * terms.count(self.rule(use), self.bound.gradients[r]) for r, _ in use.results)

    def text(self) -> str:
        """Code that computes the gradient: one formula, or where that is too long a list of definitions, the last of which it is."""
        tree = self.nested()
        if tree is not None:
            return text(tree)
        parts = []
        for v, rules in self._definitions():
            parts.append(f"{self.bound.gradients[v]} := {text(terms.total(rules))}")
        return f"({', '.join(f'({p})' for p in parts)},)[-1]"

    def _definitions(self) -> Iterator[tuple[str, list[Tree]]]:
        """Each variable whose gradient is computed, with the parts of it."""
        for v in self.chain.order:
            rules = [self.rule(use) for use in self.chain.uses.get(v, ())]
            if rules or v == self.chain.target:
                yield v, [*([self.bound.gradient(v)] if v in self.chain.starts else []), *rules]

    def value(self) -> Any:
        """What the formula gives."""
        tree = self.nested()
        if tree is not None:
            return self.computed(tree)
        computed: dict[str, Any] = {}
        for v, rules in self._definitions():
            computed[self.bound.gradients[v]] = sum(self.computed(rule, computed) for rule in rules)
        return computed[self.bound.gradients[self.chain.target]]

    def computed(self, tree: Tree, *names: Mapping[str, Any]) -> Any:
        """The value of a formula; infinities and NaN come without warnings, as the program had them."""
        with np.errstate(all="ignore"):
            return evaluate(tree, *names, self.numbers)

    # -- paths -------------------------------------------------------------------------------------

    def factors(self) -> dict[tuple[Use, str], Tree] | None:
        """The local derivative of each use, where the gradient of each path is their product: numbers, or arrays of one shape."""
        found: dict[tuple[Use, str], Tree] = {}
        nodes = self.bound.nodes
        for use in (use for v in self.chain.order for use in self.chain.uses.get(v, ())):
            shape = nodes[use.source].shape
            factor = self.bound.factor(use.function, use.argument, shape == ()) if len(self.bound.formulas[use.function].results) == 1 else None
            if factor is None or shape != nodes[use.results[0][0]].shape:
                return None
            found[use, use.results[0][0]] = factor
        return found

    def along(self, path: list[tuple[Use, str]]) -> Tree | None:
        """The part of the gradient that comes over one path; None where it would be too deep to read."""
        if len(path) > _DEPTH:
            return None
        return self._along(path, True) or self._along(path, False)

    def _along(self, path: list[tuple[Use, str]], ones: bool) -> Tree | None:
        start = path[0][1] if path else self.chain.target
        tree = terms.parsed("1") if ones and self._one(start) else self.bound.gradient(start)
        for use, r in path:
            if not terms.names_in(tree) and not terms.only_arithmetic(self.rule(use), self.bound.gradients[r]):
                return None
            tree = self.bound.rule(use.function, use.argument, {j: tree for v, j in use.results if v == r})
        return tree

    def value_along(self, path: list[tuple[Use, str]]) -> Any:
        """Its value."""
        value = self.chain.seed(path[0][1] if path else self.chain.target)
        for use, r in path:
            rule = self.bound.rule(use.function, use.argument, {j: self.bound.gradient(r) for v, j in use.results if v == r})
            value = self.computed(rule, {self.bound.gradients[r]: value})
        return value

    def used(self) -> list[str]:
        """The names in the text that it does not define itself."""
        tree = self.nested()
        if tree is not None:
            names = terms.names_in(tree)
        else:
            names = {name: None for _, rules in self._definitions() for rule in rules for name in terms.names_in(rule)}
            defined = {self.bound.gradients[v] for v, _ in self._definitions()} - {self.bound.gradients[v] for v in self.chain.starts}
            names = {name: None for name in names if name not in defined}
        return [name for name in names if name not in ("abs", "slice")]
