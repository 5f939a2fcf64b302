// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** What picocli says of a wrong command line, as messages that have translations: it has none of its own. */
final class UsageMessages {
    private static final Map<Pattern, Says> KNOWN = new LinkedHashMap<>();

    /** Puts what a pattern has found into a message. */
    private interface Says {
        Message of(Object... found);
    }

    static {
        KNOWN.put(
                Pattern.compile("Missing required options?: (.*)"),
                found -> Message.of("Missing required option: %s", found));
        KNOWN.put(
                Pattern.compile("Missing required parameters?: (.*)"),
                found -> Message.of("Missing required parameter: %s", found));
        KNOWN.put(
                Pattern.compile("Missing required parameter for option (.*)"),
                found -> Message.of("Missing required parameter for option %s", found));
        KNOWN.put(
                Pattern.compile("Expected parameter for option '(.*)' but found '(.*)'"),
                found -> Message.of("Expected parameter for option '%s' but found '%s'", found));
        KNOWN.put(Pattern.compile("Unknown options?: (.*)"), found -> Message.of("Unknown option: %s", found));
        KNOWN.put(
                Pattern.compile("Unmatched arguments?.*?: (.*)"), found -> Message.of("Unmatched argument: %s", found));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'.*?: expected one of (\\[.*]).* but was '(.*)'"),
                found -> Message.of("Invalid value for option '%s': expected one of %s but was '%s'", found));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'[^:]*: '(.*)' is not an? (?:int|long|Integer|Long)"),
                found -> Message.of("Invalid value for option '%s': '%s' is no whole number", found));
        KNOWN.put(
                Pattern.compile(
                        "Invalid value for option '(.*?)'[^:]*: '(.*)' is not an? (?:float|double|Float|Double)"),
                found -> Message.of("Invalid value for option '%s': '%s' is no number", found));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'[^:]*: (.*)"),
                found -> Message.of("Invalid value for option '%s': %s", found));
    }

    private UsageMessages() {}

    /** The message for one of picocli's; what is not known stays as it is. */
    static Message of(String text) {
        String line = text.lines().findFirst().orElse("");
        for (Map.Entry<Pattern, Says> known : KNOWN.entrySet()) {
            Matcher matcher = known.getKey().matcher(line);
            if (matcher.matches()) {
                return known.getValue()
                        .of(IntStream.rangeClosed(1, matcher.groupCount())
                                .mapToObj(matcher::group)
                                .toArray());
            }
        }
        return Message.of("%s", line);
    }
}
