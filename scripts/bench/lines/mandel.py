# Nested loops and arithmetic: many short lines, few calls.
def escape(cr, ci, limit):
    zr = 0.0
    zi = 0.0
    n = 0
    while n < limit:
        r2 = zr * zr
        i2 = zi * zi
        if r2 + i2 > 4.0:
            break
        zi = 2.0 * zr * zi + ci
        zr = r2 - i2 + cr
        n += 1
    return n


def main(size=48):
    total = 0
    for y in range(size):
        ci = 2.0 * y / size - 1.0
        for x in range(size):
            total += escape(3.0 * x / size - 2.0, ci, 100)
    return total
