// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import java.util.Optional;

/** What a rank tells who watches it: a line on stderr, marked so that nothing else that appears there is taken for one. */
sealed interface RankLine {
    /** Of the marks, which no text has. */
    String MARK = "\u0002";

    /** To be shown. */
    record Say(String text) implements RankLine {}

    /** The rank lives. */
    record Beat(int rank, String host, String doing) implements RankLine {}

    /** The rank has failed, and the run with it. */
    record Failure(int rank, String host, int code, String doing, String text) implements RankLine {}

    /** One line, without its end. */
    default String format() {
        return MARK
                + switch (this) {
                    case Say say -> "say\t" + say.text;
                    case Beat beat -> "beat\t%d\t%s\t%s".formatted(beat.rank, beat.host, beat.doing);
                    case Failure f -> "fail\t%d\t%s\t%d\t%s\t%s".formatted(f.rank, f.host, f.code, f.doing, f.text);
                };
    }

    /** Empty if the line is of somebody else. */
    static Optional<RankLine> parse(String line) {
        int mark = line.indexOf(MARK);
        if (mark < 0) {
            return Optional.empty();
        }
        String[] parts = line.substring(mark + 1).split("\t", 6);
        return switch (parts[0]) {
            case "say" -> Optional.of(new Say(line.substring(mark + 1 + "say\t".length())));
            case "beat" -> Optional.of(new Beat(Integer.parseInt(parts[1]), parts[2], parts[3]));
            case "fail" ->
                Optional.of(new Failure(
                        Integer.parseInt(parts[1]), parts[2], Integer.parseInt(parts[3]), parts[4], parts[5]));
            default -> Optional.empty();
        };
    }
}
