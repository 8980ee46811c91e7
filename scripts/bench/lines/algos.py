# Recursion and small algorithms: sorting, permutations, a puzzle, a shortest path.
import heapq


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def quicksort(values):
    if len(values) < 2:
        return values
    pivot = values[len(values) // 2]
    low = [v for v in values if v < pivot]
    same = [v for v in values if v == pivot]
    high = [v for v in values if v > pivot]
    return quicksort(low) + same + quicksort(high)


def queens(n, row=0, columns=0, down=0, up=0):
    if row == n:
        return 1
    found = 0
    for column in range(n):
        bit = 1 << column
        if columns & bit or down & (1 << (row + column)) or up & (1 << (row - column + n)):
            continue
        found += queens(n, row + 1, columns | bit, down | (1 << (row + column)), up | (1 << (row - column + n)))
    return found


def shortest(size):
    costs = {(x, y): (x * 7 + y * 13) % 10 + 1 for x in range(size) for y in range(size)}
    best = {(0, 0): 0}
    queue = [(0, (0, 0))]
    while queue:
        cost, place = heapq.heappop(queue)
        if place == (size - 1, size - 1):
            return cost
        if cost > best[place]:
            continue
        x, y = place
        for step in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if step not in costs:
                continue
            reached = cost + costs[step]
            if reached < best.get(step, 1 << 30):
                best[step] = reached
                heapq.heappush(queue, (reached, step))
    return -1


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        left = row[0]
        row[0] = i
        for j, y in enumerate(b, 1):
            left, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, left + (x != y))
    return row[-1]


def main(size=30):
    values = [(i * 7919) % 1009 for i in range(size * 40)]
    ordered = quicksort(values)
    return ordered[3] + fibonacci(size // 2 + 2) + queens(6) + shortest(size) + distance("kitten" * 8, "sitting" * 8)
