// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ThoughtsViewTest {
    @Test
    void aTerminalIsToldHowLongHiddenThoughtsTake() {
        ThoughtsView view = new ThoughtsView(false, true);
        assertFalse(view.begin().isBlank());
        assertEquals("", view.begin(), "once");
        assertFalse(view.isShowing());
        assertTrue(view.end().matches(" 0[.,]\\d \\S+\n\n"));
        assertEquals("", view.end());
    }

    @Test
    void elsewhereHiddenThoughtsLeaveNoTrace() {
        ThoughtsView view = new ThoughtsView(false, false);
        assertEquals("", view.begin());
        assertEquals("", view.end());
    }

    @Test
    void elsewhereShownThoughtsStandBetweenMarks() {
        ThoughtsView view = new ThoughtsView(true, false);
        assertEquals("<think>\n", view.begin());
        assertTrue(view.isShowing());
        assertEquals("\n</think>\n\n", view.end());
        assertEquals("", view.end(), "an answer without thoughts has no marks");
    }

    @Test
    void whatHasBegunEndsAsItBegan() {
        ThoughtsView view = new ThoughtsView(true, false);
        view.begin();
        assertFalse(view.toggle());
        assertTrue(view.isShowing());
        assertEquals("\n</think>\n\n", view.end());
        assertEquals("", view.begin());
    }
}
