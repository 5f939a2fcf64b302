// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import io.telechat.core.Message;

/** What is wrong with a JSON text, in words for people: the parser's own hints are for those who configure it. */
public final class JsonReason {
    private static final int SHOWN = 120;

    private JsonReason() {}

    public static Message of(JsonProcessingException failure) {
        if (failure.getOriginalMessage().contains("end-of-input")) {
            return Message.of("it ends in the middle of a value");
        }
        if (failure instanceof StreamConstraintsException) {
            return Message.of("a value is too deep or too long");
        }
        String reason = failure.getOriginalMessage().lines().findFirst().orElse("");
        if (failure instanceof MismatchedInputException) {
            return reason.contains("Trailing token")
                    ? Message.of("there is text behind the JSON")
                    : Message.of("a value is of another kind than expected");
        }
        return reason.isEmpty()
                        || reason.contains("Feature")
                        || reason.contains("com.fasterxml")
                        || reason.contains("Source:")
                ? Message.of("a value is no JSON value")
                : Message.of("%s", shorten(reason));
    }

    private static String shorten(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }
}
