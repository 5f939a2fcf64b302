// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** Methods of Python's {@code str}. */
final class TextMethods {
    private final Budget budget;

    TextMethods(Budget budget) {
        this.budget = budget;
    }

    /** The method of a text; empty if there is none of that name. */
    Optional<Function> of(String text, String name) {
        budget.spendReading(text);
        Function method = switch (name) {
            case "strip" -> arguments -> strip(text, arguments, true, true);
            case "lstrip" -> arguments -> strip(text, arguments, true, false);
            case "rstrip" -> arguments -> strip(text, arguments, false, true);
            case "split" -> arguments -> split(text, arguments);
            case "rsplit" -> arguments -> splitFromRight(text, arguments);
            case "splitlines" -> arguments -> lines(text);
            case "partition" -> arguments -> partition(text, arguments.text(0, "sep"), false);
            case "rpartition" -> arguments -> partition(text, arguments.text(0, "sep"), true);
            case "startswith" -> arguments -> anyOf(arguments.require(0, "prefix"), text::startsWith);
            case "endswith" -> arguments -> anyOf(arguments.require(0, "suffix"), text::endsWith);
            case "removeprefix" ->
                arguments -> text.startsWith(arguments.text(0, "prefix"))
                        ? text.substring(arguments.text(0, "prefix").length())
                        : text;
            case "removesuffix" ->
                arguments -> text.endsWith(arguments.text(0, "suffix"))
                        ? text.substring(
                                0, text.length() - arguments.text(0, "suffix").length())
                        : text;
            case "replace" ->
                arguments -> replace(
                        text, arguments.text(0, "old"), arguments.text(1, "new"), arguments.integer(2, "count", -1));
            case "find" -> arguments -> index(text, text.indexOf(arguments.text(0, "sub")));
            case "rfind" -> arguments -> index(text, text.lastIndexOf(arguments.text(0, "sub")));
            case "count" -> arguments -> count(text, arguments.text(0, "sub"));
            case "join" -> arguments -> join(text, Values.items(arguments.require(0, "iterable")));
            default -> caseMethod(text, name);
        };
        return Optional.ofNullable(method);
    }

    private static Function caseMethod(String text, String name) {
        return switch (name) {
            case "upper" -> arguments -> text.toUpperCase(Locale.ROOT);
            case "lower" -> arguments -> text.toLowerCase(Locale.ROOT);
            case "title" -> arguments -> PythonText.title(text);
            case "capitalize" -> arguments -> PythonText.capitalize(text);
            case "isdigit" -> arguments -> all(text, Character::isDigit);
            case "isnumeric", "isdecimal" -> arguments -> all(text, Character::isDigit);
            case "isalpha" -> arguments -> all(text, Character::isLetter);
            case "isalnum" -> arguments -> all(text, Character::isLetterOrDigit);
            case "isspace" -> arguments -> all(text, PythonText::isSpace);
            case "isupper" ->
                arguments -> !text.equals(text.toLowerCase(Locale.ROOT)) && text.equals(text.toUpperCase(Locale.ROOT));
            case "islower" ->
                arguments -> !text.equals(text.toUpperCase(Locale.ROOT)) && text.equals(text.toLowerCase(Locale.ROOT));
            default -> null;
        };
    }

    private static boolean all(String text, IntPredicate is) {
        return !text.isEmpty() && text.codePoints().allMatch(is);
    }

    static String strip(String text, CallArguments arguments, boolean leading, boolean trailing) {
        Object given = arguments.get(0, "chars", null);
        IntPredicate drops = PythonText::isSpace;
        if (given != null) {
            String characters = Values.requireText(given);
            drops = c -> characters.indexOf(c) >= 0;
        }
        String rest = leading ? PythonText.stripLeading(text, drops) : text;
        return trailing ? PythonText.stripTrailing(rest, drops) : rest;
    }

    private Object split(String text, CallArguments arguments) {
        Object separator = arguments.get(0, "sep", null);
        long most = arguments.integer(1, "maxsplit", -1);
        budget.spend(text.length());
        if (separator == null) {
            return new ArrayList<Object>(PythonText.words(text, most));
        }
        String between = requireSeparator(separator);
        List<Object> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(between);
                at >= 0 && (most < 0 || parts.size() < most);
                at = text.indexOf(between, from)) {
            parts.add(text.substring(from, at));
            from = at + between.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    private Object splitFromRight(String text, CallArguments arguments) {
        Object separator = arguments.get(0, "sep", null);
        long most = arguments.integer(1, "maxsplit", -1);
        if (separator == null || most < 0) {
            return split(text, arguments);
        }
        String between = requireSeparator(separator);
        budget.spend(text.length());
        List<Object> parts = new ArrayList<>();
        int to = text.length();
        for (int at = text.lastIndexOf(between);
                at >= 0 && parts.size() < most;
                at = text.lastIndexOf(between, to - between.length())) {
            if (at + between.length() > to) {
                break;
            }
            parts.addFirst(text.substring(at + between.length(), to));
            to = at;
        }
        parts.addFirst(text.substring(0, to));
        return parts;
    }

    private static String requireSeparator(Object separator) {
        String text = Values.requireText(separator);
        if (text.isEmpty()) {
            throw new TemplateFault(Message.of("the text to split at is empty"));
        }
        return text;
    }

    private Object lines(String text) {
        budget.spend(text.length());
        List<Object> lines =
                new ArrayList<>(List.of(text.split("\r\n|[\n\r\u000b\f\u001c-\u001e\u0085\u2028\u2029]", -1)));
        if (((String) lines.getLast()).isEmpty()) {
            lines.removeLast();
        }
        return lines;
    }

    private static List<Object> partition(String text, String separator, boolean last) {
        int at = last ? text.lastIndexOf(requireSeparator(separator)) : text.indexOf(requireSeparator(separator));
        if (at < 0) {
            return last ? List.of("", "", text) : List.of(text, "", "");
        }
        return List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private static boolean anyOf(Object parts, Predicate<String> is) {
        return parts instanceof List<?> list
                ? list.stream().anyMatch(part -> is.test(Values.requireText(part)))
                : is.test(Values.requireText(parts));
    }

    private static long index(String text, int at) {
        return at < 0 ? -1 : text.codePointCount(0, at);
    }

    private static long count(String text, String part) {
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    /** @param most how many are replaced; all if negative */
    String replace(String text, String old, String with, long most) {
        long times = count(text, old);
        times = most < 0 ? times : Math.min(times, most);
        budget.spend(text.length() + times * with.length());
        StringBuilder result = new StringBuilder();
        int from = 0;
        for (long i = 0; i < times; i++) {
            int at = text.indexOf(old, from);
            result.append(text, from, at).append(with);
            from = at + old.length();
            if (old.isEmpty() && from < text.length()) {
                int width = Character.charCount(text.codePointAt(from));
                result.append(text, from, from + width);
                from += width;
            }
        }
        return result.append(text.substring(Math.min(from, text.length()))).toString();
    }

    private String join(String between, List<Object> items) {
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            String item = Values.requireText(items.get(i));
            budget.spend((long) between.length() + item.length());
            joined.append(i == 0 ? "" : between).append(item);
        }
        return joined.toString();
    }
}
