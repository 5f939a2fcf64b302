// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A word of a formula.
 *
 * @param text as written, but one text for several spellings of the same thing
 */
record LatexToken(Kind kind, String text) {
    enum Kind {
        LETTER,
        DIGIT,
        /** A command without a meaning of its own, such as {@code \pi}; its text has no backslash. */
        SYMBOL,
        /** {@code dx}, as in an integral. */
        DIFFERENTIAL,
        /** The name of a function with one argument, such as {@code \sin}; its text has no backslash. */
        FUNCTION,
        PRIMES,
        RELATION,
        /** An operator, a bracket or a command with a meaning of its own: its text tells which. */
        MARK,
        /** What no formula may hold, or what is not read here. Nothing follows it. */
        INVALID,
        END
    }

    private static final Set<String> FUNCTIONS = Set.of(
            "exp", "log", "lg", "ln", "sin", "cos", "tan", "csc", "sec", "cot", "arcsin", "arccos", "arctan", "arccsc",
            "arcsec", "arccot", "sinh", "cosh", "tanh", "arsinh", "arcosh", "artanh");

    private static final Set<String> SKIPPED = Set.of(
            "thinspace",
            "medspace",
            "thickspace",
            "quad",
            "qquad",
            "negthinspace",
            "negmedspace",
            "negthickspace",
            "left",
            "right",
            "vrule",
            "vcenter",
            "vbox",
            "vskip",
            "vspace",
            "hfil");

    private static final Set<String> RELATIONS =
            Set.of("neq", "leq", "le", "leqq", "leqslant", "geq", "ge", "geqq", "geqslant");

    private static final Map<String, String> COMMANDS = Map.ofEntries(
            Map.entry("times", "*"),
            Map.entry("cdot", "*"),
            Map.entry("div", "/"),
            Map.entry("frac", "frac"),
            Map.entry("dfrac", "frac"),
            Map.entry("tfrac", "frac"),
            Map.entry("binom", "binom"),
            Map.entry("dbinom", "binom"),
            Map.entry("tbinom", "binom"),
            Map.entry("sqrt", "sqrt"),
            Map.entry("overline", "overline"),
            Map.entry("mathit", "mathit"),
            Map.entry("lfloor", "lfloor"),
            Map.entry("rfloor", "rfloor"),
            Map.entry("lceil", "lceil"),
            Map.entry("rceil", "rceil"),
            Map.entry("langle", "langle"),
            Map.entry("rangle", "rangle"),
            Map.entry("to", "to"),
            Map.entry("rightarrow", "to"),
            Map.entry("Rightarrow", "to"),
            Map.entry("longrightarrow", "to"),
            Map.entry("Longrightarrow", "to"));

    /** Integrals, sums, products and limits: their values are not computed. */
    private static final Set<String> UNSUPPORTED = Set.of("int", "sum", "prod", "lim");

    private static final Pattern WORD = Pattern.compile("[ \\t\\r\\n]+"
            + "|(?<bar>\\\\(?:left|right)\\|)"
            + "|(?<command>\\\\[a-zA-Z]+)"
            + "|(?<skipped>\\\\[,:;!*./\"(=-])"
            + "|(?<brace>\\\\[{}])"
            + "|(?<differential>d[ \\t\\r\\n]*(?:[a-zA-Z]|\\\\[a-zA-Z]+))"
            + "|(?<letter>[a-zA-Z])"
            + "|(?<digit>[0-9])"
            + "|(?<primes>'+)"
            + "|(?<relation>[<>]|&[ \\t\\r\\n]*=|=)"
            + "|(?<mark>[-+*/:^_(){}\\[\\]|!,.])");

    /** The words of a formula, then one of kind INVALID or END. */
    static List<LatexToken> of(String formula) {
        List<LatexToken> tokens = new ArrayList<>();
        Matcher word = WORD.matcher(formula);
        int at = 0;
        for (; at < formula.length(); at = word.end()) {
            if (!word.region(at, formula.length()).lookingAt()) {
                break;
            }
            LatexToken token = token(word);
            if (token != null) {
                tokens.add(token);
                if (token.kind == Kind.INVALID) {
                    return tokens;
                }
            }
        }
        tokens.add(new LatexToken(at < formula.length() ? Kind.INVALID : Kind.END, ""));
        return tokens;
    }

    boolean is(String mark) {
        return kind == Kind.MARK && text.equals(mark);
    }

    private static LatexToken token(Matcher word) {
        String text = word.group();
        if (word.group("command") != null) {
            return command(text.substring(1));
        }
        if (word.group("bar") != null || word.group("brace") != null || word.group("mark") != null) {
            return new LatexToken(Kind.MARK, text.equals(":") ? "/" : text);
        }
        if (word.group("letter") != null) {
            return new LatexToken(Kind.LETTER, text);
        }
        if (word.group("digit") != null) {
            return new LatexToken(Kind.DIGIT, text);
        }
        if (word.group("primes") != null) {
            return new LatexToken(Kind.PRIMES, text);
        }
        if (word.group("relation") != null) {
            return new LatexToken(Kind.RELATION, text);
        }
        if (word.group("differential") != null) {
            String variable = text.substring(1).strip();
            return new LatexToken(
                    Kind.DIFFERENTIAL, "d" + (variable.startsWith("\\") ? variable.substring(1) : variable));
        }
        return null;
    }

    private static LatexToken command(String name) {
        if (SKIPPED.contains(name)) {
            return null;
        }
        if (FUNCTIONS.contains(name)) {
            return new LatexToken(Kind.FUNCTION, name);
        }
        if (RELATIONS.contains(name)) {
            return new LatexToken(Kind.RELATION, name);
        }
        if (UNSUPPORTED.contains(name)) {
            return new LatexToken(Kind.INVALID, name);
        }
        String mark = COMMANDS.get(name);
        return mark == null ? new LatexToken(Kind.SYMBOL, name) : new LatexToken(Kind.MARK, mark);
    }
}
