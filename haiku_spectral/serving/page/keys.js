// What keys do, wherever the focus is.

// acts: {stop, running, compose, help, create, plain, beside, walk}
export function listen(acts) {
  document.addEventListener('keydown', (event) => {
    const typing = event.target.matches('input, textarea');
    const act = chosen(event, typing, acts);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function chosen(event, typing, acts) {
  if (event.key === 'Escape' && acts.running()) return acts.stop;
  if (event.key === 'Escape' && typing) return () => event.target.blur();
  if (event.altKey && event.code === 'KeyN') return acts.create;
  if (event.altKey && event.code === 'KeyS') return acts.plain;
  if (event.altKey && event.key === 'ArrowUp') return () => acts.beside(-1);
  if (event.altKey && event.key === 'ArrowDown') return () => acts.beside(1);
  if (typing || event.altKey || event.ctrlKey || event.metaKey) return null;
  if (event.key === '/') return acts.compose;
  if (event.key === '?') return acts.help;
  if (event.key === 'ArrowLeft') return () => acts.walk(-1);
  if (event.key === 'ArrowRight') return () => acts.walk(1);
  return null;
}
