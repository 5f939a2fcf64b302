// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An axis of a chart: its range, and where it is marked with what.
 *
 * @param logarithmic equal ratios take equal room; the range is above 0 then
 */
record Axis(double min, double max, boolean logarithmic, List<Tick> ticks) {
    private static final double[] NICE = {1, 2, 5, 10};
    private static final MathContext SHORT = new MathContext(3);
    private static final double TINY = 1e-3;
    private static final double THOUSANDS = 1e4;
    private static final double MILLIONS = 1e6;
    private static final double MARGIN = 0.1;
    private static final double FEW_DECADES = 2;
    private static final int MOST_PARTS = 7;

    record Tick(double value, String label) {}

    /** From a mark to a mark. */
    static Axis linear(double least, double greatest) {
        double low = least < greatest ? least : least - MARGIN * Math.abs(least);
        double high = least < greatest ? greatest : greatest == 0 ? 1 : greatest + MARGIN * Math.abs(greatest);
        double step = niceStep(high - low);
        return marked(Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step, step);
    }

    /** From exactly the first step to exactly the last one; marks at whole numbers. */
    static Axis ofSteps(long first, long last) {
        return first == last
                ? new Axis(first - 0.5, first + 0.5, false, List.of(new Tick(first, Long.toString(first))))
                : marked(first, last, Math.max(1, niceStep(last - first)));
    }

    /** 1, 2 or 5 times a power of 10 (Heckbert, Nice Numbers for Graph Labels, Graphics Gems, 1990). */
    private static double niceStep(double range) {
        double rough = range / MOST_PARTS;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double nice : NICE) {
            if (nice * power >= rough * (1 - 1e-9)) {
                return nice * power;
            }
        }
        return 10 * power;
    }

    private static Axis marked(double min, double max, double step) {
        List<Tick> ticks = new ArrayList<>();
        double most = Math.max(Math.abs(min), Math.abs(max));
        for (long i = (long) Math.ceil(min / step - 1e-9); i * step <= max + 1e-9 * step; i++) {
            ticks.add(new Tick(i * step, label(i * step, step, most)));
        }
        return new Axis(min, max, false, ticks);
    }

    /** As many decimals as tell the marks apart; powers of ten where there were many zeros. */
    private static String label(double value, double step, double most) {
        if (value == 0) {
            return "0";
        }
        if (most < TINY) {
            return scientific(new BigDecimal(value, SHORT));
        }
        double unit = most >= MILLIONS ? MILLIONS : most >= THOUSANDS ? 1_000 : 1;
        String suffix = most >= MILLIONS ? "M" : most >= THOUSANDS ? "k" : "";
        int decimals = (int) Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
        return String.format(Locale.ROOT, "%." + decimals + "f%s", value / unit, suffix);
    }

    private static String scientific(BigDecimal value) {
        int exponent = value.precision() - value.scale() - 1;
        return value.scaleByPowerOfTen(-exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
    }

    /** @param least above 0 */
    static Axis logarithmic(double least, double greatest) {
        double low = least * (1 - MARGIN);
        double high = greatest * (1 + MARGIN);
        double decades = Math.log10(high / low);
        double[] mantissas = decades <= FEW_DECADES ? new double[] {1, 2, 5} : new double[] {1};
        int every = Math.max(1, (int) Math.ceil(decades / MOST_PARTS));
        List<Tick> ticks = new ArrayList<>();
        for (int power = (int) Math.floor(Math.log10(low)); Math.pow(10, power) <= high; power++) {
            for (double mantissa : mantissas) {
                double value = mantissa * Math.pow(10, power);
                if (value >= low && value <= high && Math.floorMod(power, every) == 0) {
                    ticks.add(new Tick(value, shortest(value)));
                }
            }
        }
        return new Axis(low, high, true, ticks);
    }

    private static String shortest(double value) {
        BigDecimal decimal = new BigDecimal(value, SHORT).stripTrailingZeros();
        return value >= THOUSANDS || value < TINY ? scientific(decimal) : decimal.toPlainString();
    }

    /** From 0 at the least value to 1 at the greatest. */
    double position(double value) {
        return logarithmic ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
    }
}
