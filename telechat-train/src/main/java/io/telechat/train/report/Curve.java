// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A quantity over the steps.
 *
 * @param points by ascending step; a value may be NaN or infinite
 */
record Curve(List<Point> points) {
    private static final int SMALLEST_SPAN = 10;
    private static final int SPANS = 50;
    /** The mean of a short run would lie far above a loss that falls. */
    private static final double LARGEST_SHARE = 0.1;

    record Point(long step, double value) {
        boolean isFinite() {
            return Double.isFinite(value);
        }
    }

    DoubleStream finite() {
        return points.stream().filter(Point::isFinite).mapToDouble(Point::value);
    }

    /** At most 2 {@code buckets} points: of each bucket the least and the greatest, so that no peak is lost. */
    Curve envelope(int buckets) {
        if (points.size() <= 2 * buckets) {
            return this;
        }
        List<Point> kept = new ArrayList<>();
        for (int i = 0; i < buckets; i++) {
            List<Point> bucket = points.subList(start(i, buckets), start(i + 1, buckets)).stream()
                    .filter(Point::isFinite)
                    .toList();
            Comparator<Point> byValue = Comparator.comparingDouble(Point::value);
            bucket.stream().min(byValue).ifPresent(least -> {
                Point greatest = bucket.stream().max(byValue).orElseThrow();
                kept.add(least.step() < greatest.step() ? least : greatest);
                if (least.step() != greatest.step()) {
                    kept.add(least.step() < greatest.step() ? greatest : least);
                }
            });
        }
        return new Curve(kept);
    }

    /** At most {@code count} points: the last of each bucket. */
    Curve thinned(int count) {
        if (points.size() <= count) {
            return this;
        }
        List<Point> kept = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            kept.add(points.get(start(i, count) - 1));
        }
        return new Curve(kept);
    }

    private int start(int bucket, int buckets) {
        return (int) ((long) points.size() * bucket / buckets);
    }

    /**
     * The exponential moving average over about a fiftieth of the points, of few a tenth, with the correction for its start that Adam's means
     * have, too (arXiv:1412.6980, section 3). Values that are not finite are left out.
     */
    Curve smoothed() {
        double few = Math.min(SMALLEST_SPAN, points.size() * LARGEST_SHARE);
        double span = Math.max(Math.max(1, few), (double) points.size() / SPANS);
        double decay = 1 - 2 / (span + 1);
        double mean = 0;
        double missing = 1;
        List<Point> smooth = new ArrayList<>();
        for (Point point : points) {
            if (point.isFinite()) {
                mean = decay * mean + (1 - decay) * point.value();
                missing *= decay;
                smooth.add(new Point(point.step(), mean / (1 - missing)));
            }
        }
        return new Curve(smooth);
    }
}
