// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import java.util.Optional;

/** Finds the first place of a mark in text that comes in pieces, and holds back what may be the beginning of one. */
final class MarkFinder {
    private final String mark;
    private final StringBuilder held = new StringBuilder();

    MarkFinder(String mark) {
        this.mark = mark;
    }

    /**
     * What a piece of text makes sure of.
     *
     * @param before text in front of the mark
     * @param behind what has come behind the mark; empty if it has not come
     */
    record Found(String before, Optional<String> behind) {}

    Found add(String text) {
        held.append(text);
        int at = held.indexOf(mark);
        if (at >= 0) {
            Found found = new Found(held.substring(0, at), Optional.of(held.substring(at + mark.length())));
            held.setLength(0);
            return found;
        }
        int sure = held.length() - possibleStart();
        String before = held.substring(0, sure);
        held.delete(0, sure);
        return new Found(before, Optional.empty());
    }

    /** What was held back, once no more text comes. */
    String finish() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    /** Length of the longest end of the held text that the mark begins with. */
    private int possibleStart() {
        for (int length = Math.min(mark.length() - 1, held.length()); length > 0; length--) {
            if (mark.startsWith(held.substring(held.length() - length))) {
                return length;
            }
        }
        return 0;
    }
}
