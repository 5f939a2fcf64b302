// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import java.util.Base64;

/** What is asked of the first rank: a line on its stdin. */
public sealed interface RankRequest {
    /** To bring the work to an end. */
    record Stop() implements RankRequest {}

    /** To take what was read. */
    record Input(byte[] bytes) implements RankRequest {}

    /** There is nothing more to read. */
    record EndOfInput() implements RankRequest {}

    /** One line, with its end. */
    default String format() {
        return switch (this) {
            case Stop stop -> "stop\n";
            case Input input -> "input " + Base64.getEncoder().encodeToString(input.bytes()) + "\n";
            case EndOfInput end -> "end\n";
        };
    }

    /** @param line without its end */
    static RankRequest parse(String line) {
        if (line.startsWith("input ")) {
            return new Input(Base64.getDecoder().decode(line.substring("input ".length())));
        }
        return line.equals("end") ? new EndOfInput() : new Stop();
    }
}
