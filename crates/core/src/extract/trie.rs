//! A set of words that is walked byte by byte from a place in a text. Built once and never changed; children lie side
//! by side, so that a node is eight bytes.

/// A node: where its children begin, how many there are, and what ends here.
#[derive(Clone, Copy, Default)]
struct Node {
    children: u32,
    count: u16,
    /// One more than what was stored under the word that ends here, or 0.
    value: u16,
}

/// Words, each with a number below 65,535.
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The byte that leads to each node.
    labels: Vec<u8>,
    /// The nodes of first bytes: almost every walk ends at the first or second, so these are found without a search.
    first: [u32; 256],
}

impl Trie {
    /// Of words in any order, without repeats. The number of a word is its place.
    pub(super) fn new(words: &[Vec<u8>]) -> Self {
        let mut order: Vec<(&[u8], u16)> =
            words.iter().zip(0..u16::MAX).map(|(word, i)| (word.as_slice(), i)).collect();
        order.sort_unstable();
        let mut trie = Self { nodes: vec![Node::default()], labels: vec![0], first: [0; 256] };
        // Breadth first, so that children are neighbours: each entry is a node, its words, and how long its prefix is.
        let mut queue = std::collections::VecDeque::from([(0_usize, 0..order.len(), 0_usize)]);
        while let Some((at, mut words, depth)) = queue.pop_front() {
            if let Some((word, value)) =
                order.get(words.start).filter(|(word, _)| word.len() == depth && !words.is_empty())
            {
                debug_assert_eq!(word.len(), depth);
                trie.nodes[at].value = value + 1;
                words.start += 1;
            }
            trie.nodes[at].children = trie.nodes.len() as u32;
            while words.start < words.end {
                let label = order[words.start].0[depth];
                let count = order[words.clone()].iter().take_while(|(word, _)| word[depth] == label).count();
                if depth == 0 {
                    trie.first[usize::from(label)] = trie.nodes.len() as u32;
                }
                queue.push_back((trie.nodes.len(), words.start..words.start + count, depth + 1));
                trie.nodes.push(Node::default());
                trie.labels.push(label);
                trie.nodes[at].count += 1;
                words.start += count;
            }
        }
        trie
    }

    /// Calls `found` with the number and length of every word that `bytes` begin with.
    #[inline]
    pub(super) fn walk(&self, mut bytes: impl Iterator<Item = u8>, mut found: impl FnMut(u16, usize)) {
        let Some(byte) = bytes.next() else { return };
        let mut at = self.first[usize::from(byte)] as usize;
        let mut length = 1;
        while at != 0 {
            let node = self.nodes[at];
            if node.value > 0 {
                found(node.value - 1, length);
            }
            let (start, Some(byte)) = (node.children as usize, bytes.next()) else { return };
            let labels = &self.labels[start..start + usize::from(node.count)];
            at = labels.iter().position(|label| *label == byte).map_or(0, |i| start + i);
            length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trie;

    #[test]
    fn finds_every_word_at_the_beginning() {
        let words = ["pass", "passcode", "pa", "code", "co", "é"].map(|word| word.as_bytes().to_vec());
        let trie = Trie::new(&words);
        let found = |text: &str| {
            let mut all = Vec::new();
            trie.walk(text.bytes(), |word, length| all.push((word, length)));
            all
        };
        assert_eq!(found("passcodes"), [(2, 2), (0, 4), (1, 8)]);
        assert_eq!(found("codec"), [(4, 2), (3, 4)]);
        assert_eq!(found("été"), [(5, 2)]);
        assert_eq!(found("xpass"), []);
        assert_eq!(found(""), []);
        assert_eq!(found("p"), []);
    }
}
