// SPDX-License-Identifier: Apache-2.0
// Shows the values under the pointer. Well-formed as XML, too: no ampersand, no less-than sign.
document.querySelectorAll('.plot').forEach(plot => {
  const lines = plot.querySelector('.lines');
  const tip = plot.querySelector('.tip');
  const side = lines.viewBox.baseVal.width;
  const [firstStep, lastStep] = lines.dataset.x.split(' ').map(Number);
  const [least, greatest] = lines.dataset.y.split(' ').map(Number);
  const value = up => lines.dataset.log === 'true'
    ? least * Math.pow(greatest / least, up) : least + up * (greatest - least);
  const curves = Array.from(lines.querySelectorAll('[data-name]'), path => ({
    name: path.dataset.name,
    color: path.classList[1],
    points: Array.from(path.getAttribute('d').matchAll(/[ML](\d+) (\d+)/g), m => ({x: Number(m[1]) / side, y: Number(m[2]) / side})),
  }));
  const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  cursor.setAttribute('class', 'cursor');
  cursor.setAttribute('y1', '0');
  cursor.setAttribute('y2', '100%');

  const element = (tag, text, css) => {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = css || '';
    return made;
  };
  const text = v => v >= 1000 ? Math.round(v).toLocaleString('en')
    : v > 0.001 || v === 0 ? v.toPrecision(4) : v.toExponential(2);
  const step = point => Math.round(firstStep + point.x * (lastStep - firstStep)).toLocaleString('en');
  const hide = () => {
    tip.hidden = true;
    cursor.remove();
  };
  const show = event => {
    const box = lines.parentNode.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const found = curves.map(curve => ({
      curve, point: curve.points.reduce((a, b) => Math.abs(a.x - x) > Math.abs(b.x - x) ? b : a, {x: Infinity}),
    })).filter(f => 0.03 > Math.abs(f.point.x - x));
    if (found.length === 0) {
      hide();
      return;
    }
    const at = found[0].point;
    tip.replaceChildren(element('small', 'step ' + step(at)));
    found.forEach(f => {
      const row = element('div', '');
      const other = step(f.point) === step(at) ? '' : ' at ' + step(f.point);
      row.append(element('span', '', 'swatch ' + f.curve.color), element('span', f.curve.name + other));
      row.append(element('b', text(value(1 - f.point.y))));
      tip.append(row);
    });
    cursor.setAttribute('x1', 100 * at.x + '%');
    cursor.setAttribute('x2', 100 * at.x + '%');
    lines.before(cursor);
    tip.hidden = false;
    const right = x > 0.5;
    tip.style.left = right ? 'auto' : box.left - plot.getBoundingClientRect().left + at.x * box.width + 14 + 'px';
    tip.style.right = right ? plot.getBoundingClientRect().right - box.left - at.x * box.width + 14 + 'px' : 'auto';
  };
  plot.addEventListener('pointermove', show);
  plot.addEventListener('pointerdown', show);
  plot.addEventListener('pointerleave', hide);
});
