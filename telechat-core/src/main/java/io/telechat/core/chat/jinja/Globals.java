// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Functions that every template can call: Jinja's, and those that the reference's framework gives to chat templates. */
final class Globals {
    private static final int MAX_RANGE = 100_000;
    private static final Map<Character, String> DATE_PARTS = Map.ofEntries(
            Map.entry('Y', "yyyy"),
            Map.entry('y', "yy"),
            Map.entry('m', "MM"),
            Map.entry('d', "dd"),
            Map.entry('B', "MMMM"),
            Map.entry('b', "MMM"),
            Map.entry('A', "EEEE"),
            Map.entry('a', "EEE"),
            Map.entry('H', "HH"),
            Map.entry('I', "hh"),
            Map.entry('M', "mm"),
            Map.entry('S', "ss"),
            Map.entry('p', "a"),
            Map.entry('j', "DDD"));

    private Globals() {}

    static Map<String, Object> of(Budget budget, LocalDateTime now) {
        Map<String, Function> functions = Map.of(
                "range",
                arguments -> range(arguments, budget),
                "dict",
                arguments -> new LinkedHashMap<Object, Object>(arguments.named()),
                "namespace",
                Globals::namespace,
                "raise_exception",
                arguments -> {
                    throw new InvalidRequestException(
                            "the model's chat template refuses this conversation: %s",
                            Values.text(arguments.get(0, "message", ""), budget));
                },
                "strftime_now",
                arguments -> date(arguments.text(0, "format"), now));
        return new HashMap<>(functions);
    }

    private static Object namespace(CallArguments arguments) {
        Map<String, Object> attributes = new HashMap<>(arguments.named());
        for (Object given : arguments.positional()) {
            if (!(given instanceof Map<?, ?> map)) {
                throw new TemplateFault(Message.of("%s is no dict", Values.typeName(given)));
            }
            map.forEach((name, value) -> attributes.putIfAbsent(Values.requireText(name), value));
        }
        return new Namespace(attributes);
    }

    private static List<Object> range(CallArguments arguments, Budget budget) {
        boolean one = arguments.positional().size() == 1;
        long from = one ? 0 : arguments.integer(0, "start", 0);
        long to = arguments.integer(one ? 0 : 1, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new TemplateFault(Message.of("the step of a slice is 0"));
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            budget.spend(1);
            numbers.add(i);
            if (numbers.size() > MAX_RANGE) {
                throw new TemplateFault(Message.of("a range holds more than %d numbers", MAX_RANGE));
            }
        }
        return numbers;
    }

    /** {@code strftime} in English, as far as dates and times of the day go. */
    private static String date(String format, LocalDateTime now) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            char part = format.charAt(++i);
            if (part == '%') {
                text.append('%');
            } else if (DATE_PARTS.containsKey(part)) {
                text.append(now.format(DateTimeFormatter.ofPattern(DATE_PARTS.get(part), Locale.ENGLISH)));
            } else if (part == '-' && i + 1 < format.length() && DATE_PARTS.containsKey(format.charAt(i + 1))) {
                String padded = date("%" + format.charAt(++i), now);
                text.append(padded.replaceFirst("^0+(?=.)", ""));
            } else {
                throw new TemplateFault(Message.of("the date format %%%s is not known", part));
            }
        }
        return text.toString();
    }
}
